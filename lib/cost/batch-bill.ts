/** What a batch that has ended cost, modelled from what its functions measured: list prices times calls, and times memory and milliseconds. */
import type { BatchOutput } from '../../contract/batch';
import { BATCH_FUNCTION_MB, BATCH_FUNCTION_MS } from './batch-limits';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from './constants/defaults';
import { durationRate, type Architecture } from './formulas/lambda';
import { storesOf } from './formulas/s3';
import { executionDollars } from './formulas/step-functions';

/** Of the batch's own function: memory times its time in a child, before and after the items. It mostly waits for S3. */
const OWN_MB_MS = BATCH_FUNCTION_MB * BATCH_FUNCTION_MS;

/** Without the loading of functions, failed calls, tensors between slices that do not fit the state, and storage. */
export function batchDollars(
  { usage, items, milliseconds }: Pick<BatchOutput, 'usage' | 'items' | 'milliseconds'>,
  itemsPerRun: number,
  architecture: Architecture,
): number {
  const [prices, environment] = [DEFAULT_PRICES, DEFAULT_ENVIRONMENT];
  const store = storesOf(prices, environment)['s3-standard'];
  const children = Math.ceil(items.total / itemsPerRun);
  const calls = usage.reduce((sum, own) => sum + own.calls, 0) + 2 * children;
  const mbMs = usage.reduce((sum, own) => sum + own.mbMs, 0) + OWN_MB_MS * children;
  const none = { slices: 0, warmUps: 0, parallels: 0 };
  const child = executionDollars('express', none, milliseconds / children, prices, environment);
  return (
    (calls * prices.lambda.requests) / 1e6 +
    mbMs * durationRate(1, architecture, prices) +
    // The parent has a transition for each child.
    children * (child + prices.stepFunctions.standardTransitions / 1e6) +
    items.done * store.putDollars +
    // The request, and the question whether there is a result.
    (2 * items.done + items.skipped) * store.getDollars
  );
}
