/** Makes the rows of a child's items, and writes the results that no slice function has written. */
import { MAX_ROW_OUTPUT_BYTES, type BatchRow } from '../../contract/batch';
import {
  BATCH_ERROR_NAMES,
  MAP_RUNS_FOLDER,
  type ChildOutput,
  type ChildToFinish,
  type RunOutcome,
} from '../../contract/batch-function';
import { crc32 } from '../tensors/checksums';
import type { BatchContext } from './context';
import { BatchFailed, failureOfCause, failureOfItem } from './row';
import { Usage } from './usage';

/** Of all rows of a child, in bytes of JSON: its output has at most 256 KiB, and the names of its items take most of it. */
const MAX_OUTPUTS_BYTES = 64 * 1024;

/** In characters of a cause, which Step Functions cuts at 32 KiB. Lambda escapes the JSON once more. */
const MAX_CAUSE = 16 * 1024;

/** In the cause of a child with failed items: its output, or the key of an object with it if it is too large for a cause. */
export type ChildCause = ChildOutput | { readonly key: string };

/** @throws BatchFailed `ItemsFailed` if an item has failed: Step Functions counts the child as failed, and a redrive repeats it */
export async function finish(
  { rows: before, runs, attempt }: ChildToFinish,
  context: BatchContext,
): Promise<ChildOutput> {
  let room = MAX_OUTPUTS_BYTES;
  const rows = [...before];
  const usage = new Usage();
  for (const run of runs) {
    const { output, ...row } = await rowOf(run, attempt, context);
    const bytes = output === undefined ? Infinity : Buffer.byteLength(JSON.stringify(output));
    const isShown = bytes <= Math.min(room, MAX_ROW_OUTPUT_BYTES);
    if (isShown) room -= bytes;
    rows.push(isShown ? { ...row, output } : row);
    // A run that the whole model served has one figure.
    for (const [slice, mbMs] of (run.mbMs ?? []).entries())
      usage.add({ ...(run.isWhole ? { whole: true } : { slice }), calls: 1, mbMs });
  }
  rows.sort((a, b) => a.index - b.index);
  const output = { rows, usage: usage.list() };
  if (rows.every(({ status }) => status !== 'failed')) return output;
  let cause: ChildCause = output;
  if (JSON.stringify(output).length > MAX_CAUSE) {
    cause = { key: `${context.settings.resultsPrefix}${MAP_RUNS_FOLDER}rows/${context.requestId}.json` };
    await writeJson(cause.key, output, context);
  }
  throw new BatchFailed(BATCH_ERROR_NAMES.itemsFailed, JSON.stringify(cause));
}

async function rowOf(run: RunOutcome, attempt: number, context: BatchContext): Promise<BatchRow> {
  const { s3, output = null, ms = 0, processors } = run;
  const { index, item, result } = run.item;
  const { hasPostprocess } = context.settings;
  const failure = run.failure && failureOfCause(run.failure.Error, run.failure.Cause);
  const failed = failure ?? (hasPostprocess || s3 !== undefined ? undefined : ONLY_INLINE);
  if (failed !== undefined) return { index, item, attempt, status: 'failed', failure: failed };
  if (hasPostprocess) await writeJson(result, output, context);
  return {
    ...{ index, item, attempt, status: 'done', result },
    ...(hasPostprocess && { output }),
    ms: Math.round(ms),
    ...(processors && { processors }),
  };
}

const ONLY_INLINE = failureOfItem(
  'InvalidInput',
  "the request of a preprocess function must not ask for inline results only: leave 'output' out",
);

/** A result of an earlier attempt stays: both attempts computed the same. */
async function writeJson(key: string, value: unknown, { settings, objects }: BatchContext): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value));
  await objects.write({ bucket: settings.bucket, key }, [bytes], crc32(bytes));
}
