/** Makes the rows of a child's items, and writes the results that no slice function has written. */
import { MAX_ROW_OUTPUT_BYTES, type BatchRow, type BatchUsage } from '../../contract/batch';
import {
  BATCH_ERROR_NAMES,
  MAP_RUNS_FOLDER,
  type BatchSettings,
  type ChildOutput,
  type ChildOutputReference,
  type FinishEvent,
  type RunOutcome,
} from '../../contract/batch-function';
import { invalidInput, sliceFailed } from '../errors';
import type { ObjectStore } from '../store/object-store';
import { crc32 } from '../tensors/checksums';
import { failureOfCause } from './row';
import { splitResult } from './stack';

export interface FinishContext {
  readonly settings: BatchSettings;
  readonly objects: ObjectStore;
  readonly requestId: string;
}

/** Of all rows of a child, in bytes of JSON: its output has at most 256 KiB, and the names of its items take most of it. */
const MAX_OUTPUTS_BYTES = 64 * 1024;

/** In characters of a cause, which Step Functions cuts at 32 KiB. Lambda escapes the JSON once more. */
const MAX_CAUSE = 16 * 1024;

/** A child with failed items. Step Functions counts it as failed, and a redrive repeats it. */
export class ItemsFailed extends Error {
  override readonly name = BATCH_ERROR_NAMES.itemsFailed;

  constructor(output: ChildOutput | ChildOutputReference) {
    super(JSON.stringify(output));
    // Not empty: the Lambda runtime client reports an error without a stack as its own fault.
    this.stack = this.name;
  }
}

/** @throws ItemsFailed if an item has failed */
export async function finish(
  { rows: before, runs, attempt }: FinishEvent['finish'],
  context: FinishContext,
): Promise<ChildOutput> {
  let room = MAX_OUTPUTS_BYTES;
  const rows = [...before];
  for (const run of runs) {
    for (const row of await rowsOf(run, attempt, context)) {
      const { output, ...rest } = row;
      const bytes = output === undefined ? 0 : Buffer.byteLength(JSON.stringify(output));
      const isShown = output !== undefined && bytes <= Math.min(room, MAX_ROW_OUTPUT_BYTES);
      if (isShown) room -= bytes;
      rows.push(isShown ? row : rest);
    }
  }
  rows.sort((a, b) => a.index - b.index);
  const output = { rows, usage: usageOf(runs) };
  if (rows.every(({ status }) => status !== 'failed')) return output;
  if (JSON.stringify(output).length <= MAX_CAUSE) throw new ItemsFailed(output);
  const key = `${context.settings.resultsPrefix}${MAP_RUNS_FOLDER}rows/${context.requestId}.json`;
  await writeJson(key, output, context);
  throw new ItemsFailed({ key });
}

async function rowsOf(run: RunOutcome, attempt: number, context: FinishContext): Promise<BatchRow[]> {
  const { items, failure, ms = 0 } = run;
  const about = items.map(({ index, item }) => ({ index, item, attempt }));
  const { hasPostprocess } = context.settings;
  if (failure !== undefined) {
    const ofItem = failureOfCause(failure.Error, failure.Cause);
    return about.map((row) => ({ ...row, status: 'failed', failure: ofItem }));
  }
  if (hasPostprocess) await writeJson(items[0].result, run.output ?? null, context);
  else if (run.s3 === undefined) {
    const { error, message } = failureOfCause('InvalidInput', NO_OBJECT.message);
    return about.map((row) => ({ ...row, status: 'failed', failure: { error, message } }));
  } else if (items[0].rows !== undefined) {
    await splitResult(items, run.s3.key, context.settings, context.objects);
  }
  const each = Math.round(ms / items.length);
  return about.map((row, at) => ({
    ...row,
    status: 'done',
    result: items[at].result,
    ...(hasPostprocess && { output: run.output }),
    ms: each,
  }));
}

const NO_OBJECT = invalidInput(
  "the request of a preprocess function must not ask for inline results only: leave 'output' out",
);

/** A result of an earlier attempt stays: both attempts computed the same. */
async function writeJson(key: string, value: unknown, { settings, objects }: FinishContext): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value));
  await objects.putIfAbsent({ bucket: settings.bucket, key }, [bytes], crc32(bytes));
}

/** Adds up the calls of all runs. A run that the whole model served has one figure. */
function usageOf(runs: readonly RunOutcome[]): BatchUsage[] {
  const sums = new Map<number, { calls: number; mbMs: number }>();
  for (const { mbMs = [], isWhole = false } of runs) {
    for (const [slice, used] of mbMs.entries()) {
      const at = isWhole ? WHOLE_AT : slice;
      const { calls, mbMs: sum } = sums.get(at) ?? { calls: 0, mbMs: 0 };
      sums.set(at, { calls: calls + 1, mbMs: sum + used });
    }
  }
  return usageList(sums);
}

/** Comes after all slices. */
const WHOLE_AT = Infinity;

export function usageList(sums: ReadonlyMap<number, { calls: number; mbMs: number }>): BatchUsage[] {
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([slice, used]) => ({ ...(slice === WHOLE_AT ? { whole: true } : { slice }), ...used }));
}

export function usageAt({ slice = WHOLE_AT }: BatchUsage): number {
  return slice;
}

/** A result in S3 must be where the state machine says. */
export function outputOf(text: string): ChildOutput | ChildOutputReference {
  const value = JSON.parse(text) as Partial<ChildOutput & ChildOutputReference>;
  if (typeof value.key === 'string') return { key: value.key };
  if (Array.isArray(value.rows) && Array.isArray(value.usage))
    return { rows: value.rows, usage: value.usage };
  throw sliceFailed('a child of the batch must answer rows: deploy the stack again');
}
