/** What a batch that has ended cost, modelled from what its functions measured: list prices times calls, and times memory and milliseconds. */
import type { BatchOutput } from '../../contract/batch';
import { BATCH_FUNCTION_MB, BATCH_FUNCTION_MS } from './batch-limits';
import type { Environment, Prices } from './constants/defaults';
import { durationRate, logDollars, type Architecture } from './formulas/lambda';
import { storesOf } from './formulas/s3';
import { executionDollars } from './formulas/step-functions';
import { NO_ITEMS, type LineItems } from './step';

export interface BatchBillOptions {
  /** Child executions. */
  readonly children: number;
  readonly architecture: Architecture;
  readonly prices: Prices;
  readonly environment: Environment;
}

/** Not in the bill: the writing of requests, the loading of functions, failed calls, tensors between slices that do not fit the state, and storage. */
export function batchBill(
  { usage, items, milliseconds }: Pick<BatchOutput, 'usage' | 'items' | 'milliseconds'>,
  { children, architecture, prices, environment }: BatchBillOptions,
): LineItems {
  const { logs } = environment;
  const store = storesOf(prices, environment)['s3-standard'];
  const calls = usage.reduce((sum, own) => sum + own.calls, 0);
  const mbMs = usage.reduce((sum, own) => sum + own.mbMs, 0);
  const meanMs = milliseconds / Math.max(1, children);
  const none = { slices: 0, warmUps: 0, parallels: 0 };
  const child = executionDollars('express', none, meanMs, prices, environment);
  return {
    ...NO_ITEMS,
    lambdaRequests: ((calls + 2 * children) * prices.lambda.requests) / 1e6,
    lambdaCompute:
      (mbMs + BATCH_FUNCTION_MB * BATCH_FUNCTION_MS * children) * durationRate(1, architecture, prices),
    // The parent has a transition for each child.
    stepFunctions: children * (child + prices.stepFunctions.standardTransitions / 1e6),
    s3Puts: items.done * store.putDollars,
    // The request, and the question whether there is a result.
    s3Gets: (2 * items.done + items.skipped) * store.getDollars,
    logs: logDollars(calls * (logs.callBytes + logs.lineBytes) + 2 * children * logs.callBytes, prices),
  };
}
