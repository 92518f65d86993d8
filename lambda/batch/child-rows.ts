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
    return { rows: rowsOf(({ index }) => ended.get(index) ?? PENDING), results: output.results };
  }
  // What did not start when the map ended has no error.
  const isPending = Status === 'PENDING' || Status === 'ABORTED';
  const failure = failureOfCause(error ?? Status, Cause);
  return { rows: rowsOf(() => (isPending ? PENDING : { status: 'failed', failure })), results: [] };
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
  for (const result of results) {
    const outputs = context.settings.hasPostprocess ? await outputsOf(result, context) : [];
    for (const [at, index] of result.items.entries()) ended.set(index, endedWith(result, at, outputs));
  }
  return ended;
}

function endedWith(
  { key, items, entries, ms, calls }: ChildResult,
  at: number,
  outputs: readonly unknown[],
): Ended {
  const entry = entries?.[at] ?? at;
  const output = outputs.at(entry);
  const isShown = output !== undefined && Buffer.byteLength(JSON.stringify(output)) <= MAX_ROW_OUTPUT_BYTES;
  const result = { key, entry };
  const shown = { result, ...(isShown && { output }) };
  if (calls === undefined) return { status: 'skipped', ...shown };
  const processors = [...new Set(calls.flatMap(({ processor }) => processor ?? []))];
  return { status: 'done', ...shown, ms: Math.round((ms ?? 0) / items.length), processors };
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
