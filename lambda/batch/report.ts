/** Reports the failed items of a child: in an object, in the function's log and in the metric. */
import {
  FAILED_ITEMS_METRIC,
  FAILURES_FOLDER,
  type FailuresToReport,
  type ReportedFailures,
} from '../../contract/batch-function';
import type { BatchFailure } from '../../contract/batch';
import type { PackFailure } from '../../contract/batch-pack';
import { METRICS_NAMESPACE } from '../../contract/environment';
import type { BatchContext } from './context';
import { digestOf } from './item-digest';
import { failureOfCause } from './item-failure';
import { writeObject } from './objects';

/** Items that failed for one reason, as the object has them. */
export interface ReportedFailure extends BatchFailure {
  /** Their indices. */
  readonly items: readonly number[];
}

export async function reportFailures(
  { execution, failed, done }: FailuresToReport,
  context: BatchContext,
): Promise<ReportedFailures> {
  const { settings, log } = context;
  const failures = lastOfEach(failed, new Set(done)).map(
    ({ items, error, cause, hint }): ReportedFailure => ({
      items,
      ...hinted(failureOfCause(error, cause), hint),
    }),
  );
  if (failures.length === 0) return { key: '' };
  const text = JSON.stringify(failures);
  const items = failures.flatMap((failure) => failure.items);
  const count = items.length;
  // Its name ends with the number of items, so that a list of the names is enough for the progress.
  const name = `${Math.min(...items)}-${digestOf(text)}-${count}.json`;
  const key = `${settings.resultsPrefix}${FAILURES_FOLDER}${execution}/${name}`;
  await writeObject(key, [Buffer.from(text)], context);
  for (const { message: reason, ...failure } of failures)
    log(JSON.stringify({ level: 'ERROR', message: 'items failed', execution, ...failure, reason }));
  countFailed(count, execution, context);
  return { key };
}

/** Items of a pack that was halved may have failed before, and fail again. Each counts once, and those with a result do not. */
function lastOfEach(failed: readonly PackFailure[], done: ReadonlySet<number>): PackFailure[] {
  const last = new Map(failed.flatMap((failure) => failure.items.map((item) => [item, failure] as const)));
  return failed
    .map((failure) => ({
      ...failure,
      items: failure.items.filter((item) => last.get(item) === failure && !done.has(item)),
    }))
    .filter(({ items }) => items.length > 0);
}

function hinted({ error, message }: BatchFailure, hint: string | undefined): BatchFailure {
  return { error, message: hint === undefined ? message : `${message}: ${hint}` };
}

/** Adds to the metric. */
export function countFailed(count: number, execution: string, { log }: BatchContext): void {
  const summary = { level: 'INFO', message: 'run has failed items', execution, [FAILED_ITEMS_METRIC]: count };
  log(JSON.stringify({ ...metric(), ...summary }));
}

/** Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function metric(): object {
  const FunctionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? '';
  const Metrics = [{ Name: FAILED_ITEMS_METRIC, Unit: 'Count' }];
  const CloudWatchMetrics = [{ Namespace: METRICS_NAMESPACE, Dimensions: [['FunctionName']], Metrics }];
  return { _aws: { Timestamp: Date.now(), CloudWatchMetrics }, FunctionName };
}
