/** The quotas of AWS that a batch meets, and the most items of a child that keeps Step Functions' limit of five minutes. */
import {
  type BatchShape,
  type BatchedPlan,
  type PlannedBatch,
  CHILD_STARTS_PER_SECOND,
  plannedBatch,
} from './batch';

// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, read 2026-11; the number of items as others quote that page
export const MAX_MAP_ITEMS = 100_000_000;
export const MAX_CHILDREN = 10_000;
export const MAX_EXPRESS_SECONDS = 300;
const MAX_STATE_BYTES = 256 * 1024;

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html, read 2026-11: a new account may have 10
const CONCURRENT_CALLS = 1_000;

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read 2026-11
const MAX_FUNCTION_SECONDS = 900;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html, read 2026-11: for each prefix
const PUTS_PER_SECOND = 3_500;
const GETS_PER_SECOND = 5_500;

export interface BatchQuota {
  readonly quota: string;
  /** What the batch needs. */
  readonly used: number;
  readonly limit: number;
  /** What to do if the batch needs more. */
  readonly advice: string;
}

/**
 * @param sizes `rowBytes` of an item in the state of its child; `width`: calls at once of one run: more than 1 if slices run side by side
 */
export function batchQuotas(
  { items, itemsPerRun }: BatchShape,
  { children, lanes, milliseconds, longestRunMs, tableMs, requests }: PlannedBatch,
  sizes: { readonly rowBytes: number; readonly width: number },
): BatchQuota[] {
  const seconds = milliseconds.p50 / 1000;
  const row = (quota: string, used: number, limit: number, advice: string) => ({
    quota,
    used,
    limit,
    advice,
  });
  const fewer = 'use fewer --items-per-run';
  const slower = 'use a lower --concurrency';
  return [
    row('items of a map run', items, MAX_MAP_ITEMS, 'split the batch'),
    row('children at once', lanes, MAX_CHILDREN, slower),
    row('child starts a second', children / seconds, CHILD_STARTS_PER_SECOND, 'use more --items-per-run'),
    row('seconds of a child (p95)', longestRunMs / 1000, MAX_EXPRESS_SECONDS, fewer),
    row("bytes of a child's state", Math.min(items, itemsPerRun) * sizes.rowBytes, MAX_STATE_BYTES, fewer),
    row(
      'calls at once in the account',
      lanes * sizes.width,
      CONCURRENT_CALLS,
      `ask AWS for more concurrent executions, or ${slower}`,
    ),
    row('seconds to write the table', tableMs / 1000, MAX_FUNCTION_SECONDS, 'split the batch'),
    row('S3 PUTs a second', (items * requests.puts) / seconds, PUTS_PER_SECOND, slower),
    row('S3 GETs a second', (items * requests.gets) / seconds, GETS_PER_SECOND, slower),
  ];
}

/** The most items of a child whose p95 and state keep the limits; 0 if not even one item does. */
export function mostItemsPerRun(plan: BatchedPlan, shape: BatchShape): number {
  const most = Math.floor(MAX_STATE_BYTES / plan.model.options.environment.batch.rowBytes);
  const fits = (itemsPerRun: number): boolean =>
    plannedBatch(plan, { ...shape, items: itemsPerRun, itemsPerRun }).longestRunMs <=
    MAX_EXPRESS_SECONDS * 1000;
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
