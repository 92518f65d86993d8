/** Makes the rows of the items of a child, from what the result writer says about it. */
import { MAX_ROW_OUTPUT_BYTES, type BatchRow } from '../../contract/batch';
import type { ChildInput, ChildOutput, ChildResult } from '../../contract/batch-function';
import type { PackItem } from '../../contract/batch-pack';
import { ObjectUnavailable } from '../store/object-store';
import { sourceOf, type BatchContext } from './context';
import { isFolder, itemName } from './item';
import { failureOfCause } from './item-failure';
import { bytesOfObject } from './objects';
import type { ReportedFailure } from './report';
import { storedLines } from './stored-answers';

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
export interface ChildRecord {
  readonly Status: string;
  readonly Input: string;
  readonly Output?: string;
  readonly Error?: string;
  readonly Cause?: string;
}

export interface FinishedChild {
  readonly rows: readonly BatchRow[];
  readonly results: readonly ChildResult[];
  /** Failed items of a child that failed as a whole, and so could not report them. */
  readonly unreported: number;
}

type Ended = Omit<BatchRow, 'index' | 'item'>;

const PENDING: Ended = { status: 'pending' };

export async function finishedChild(child: ChildRecord, context: BatchContext): Promise<FinishedChild> {
  const { Items } = JSON.parse(child.Input) as ChildInput;
  const source = sourceOf(context.settings);
  const items = Items.filter((item) => !isFolder(source, item));
  const rowsOf = (ended: (item: PackItem) => Ended): BatchRow[] =>
    items.map((item) => ({ index: item.index, item: itemName(source, item), ...ended(item) }));
  const { Status, Output = '', Error: error, Cause } = child;
  if (Status === 'SUCCEEDED') {
    const output = JSON.parse(Output) as ChildOutput;
    const ended = await endedItems(output, context);
    return {
      rows: rowsOf(({ index }) => ended.get(index) ?? PENDING),
      results: output.results,
      unreported: 0,
    };
  }
  // What did not start when the map ended has no error.
  const isPending = Status === 'PENDING' || Status === 'ABORTED';
  const failure = failureOfCause(error ?? Status, Cause);
  const rows = rowsOf(() => (isPending ? PENDING : { status: 'failed', failure }));
  return { rows, results: [], unreported: isPending ? 0 : rows.length };
}

async function endedItems(
  { results, failures }: ChildOutput,
  context: BatchContext,
): Promise<Map<number, Ended>> {
  const ended = new Map<number, Ended>();
  if (failures !== '') {
    const reported = JSON.parse(
      (await bytesOfObject(failures, context)).toString('utf8'),
    ) as ReportedFailure[];
    for (const { items, error, message } of reported)
      for (const index of items) ended.set(index, { status: 'failed', failure: { error, message } });
  }
  for (const { parts, computed } of runsOf(results)) {
    for (const part of parts) {
      const outputs = context.settings.hasPostprocess ? await outputsOf(part, context) : [];
      for (const [at, index] of part.items.entries())
        ended.set(index, { ...resultAt(part, at, outputs), ...computed });
    }
  }
  return ended;
}

interface Run {
  readonly parts: readonly ChildResult[];
  /** What the rows of all its items have. */
  readonly computed: Pick<Ended, 'status' | 'ms' | 'processors'>;
}

/** A run whose answers of a function are in several objects has its calls in the first one. */
function runsOf(results: readonly ChildResult[]): Run[] {
  const runs: ChildResult[][] = [];
  for (const result of results) {
    if (result.calls?.length === 0 && runs.length > 0) runs[runs.length - 1].push(result);
    else runs.push([result]);
  }
  return runs.map((parts) => ({ parts, computed: computedBy(parts) }));
}

function computedBy(parts: readonly ChildResult[]): Run['computed'] {
  const [{ calls }] = parts;
  if (calls === undefined) return { status: 'skipped' };
  const ms = parts.reduce((sum, part) => sum + (part.ms ?? 0), 0);
  const items = parts.reduce((sum, part) => sum + part.items.length, 0);
  const processors = [...new Set(calls.flatMap(({ processor }) => processor ?? []))];
  return { status: 'done', ms: Math.round(ms / items), processors };
}

function resultAt(
  { key, entries }: ChildResult,
  at: number,
  outputs: readonly unknown[],
): Pick<Ended, 'result' | 'output'> {
  const entry = entries?.[at] ?? at;
  const output = outputs.at(entry);
  const isShown = output !== undefined && Buffer.byteLength(JSON.stringify(output)) <= MAX_ROW_OUTPUT_BYTES;
  return { result: { key, entry }, ...(isShown && { output }) };
}

/** What is gone meanwhile has no output in the table. */
async function outputsOf({ key }: ChildResult, context: BatchContext): Promise<unknown[]> {
  try {
    return storedLines(await bytesOfObject(key, context)).map(({ output }) => output);
  } catch (error) {
    if (error instanceof ObjectUnavailable) return [];
    throw error;
  }
}
