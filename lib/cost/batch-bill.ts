/** What a batch that has ended cost, modelled from what its functions measured: list prices times calls, and times memory and milliseconds. */
import type { BatchOutput } from '../../contract/batch';
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
  /** Whether the requests are objects. Otherwise they are in the list of the items. */
  readonly requestsInS3: boolean;
}

/** Express executions of so many milliseconds together, for each of which the parent has a transition. */
export function childrenDollars({
  children,
  milliseconds,
  prices,
  environment,
}: Pick<BatchBillOptions, 'children' | 'prices' | 'environment'> & {
  readonly milliseconds: number;
}): number {
  const none = { slices: 0, warmUps: 0, parallels: 0 };
  const meanMs = milliseconds / Math.max(1, children);
  const child = executionDollars('express', none, meanMs, prices, environment);
  return children * (child + prices.stepFunctions.standardTransitions / 1e6);
}

/** Not in the bill: the writing of requests, the loading of functions, failed calls, calls of the batch's own function, and storage. */
export function batchBill(
  { usage, items, milliseconds, runs }: Pick<BatchOutput, 'usage' | 'items' | 'milliseconds' | 'runs'>,
  { children, architecture, prices, environment, requestsInS3 }: BatchBillOptions,
): LineItems {
  const { logs } = environment;
  const store = storesOf(prices, environment)['s3-standard'];
  const calls = usage.reduce((sum, own) => sum + own.calls, 0);
  const mbMs = usage.reduce((sum, own) => sum + own.mbMs, 0);
  return {
    ...NO_ITEMS,
    lambdaRequests: (calls * prices.lambda.requests) / 1e6,
    lambdaCompute: mbMs * durationRate(1, architecture, prices),
    stepFunctions: childrenDollars({ children, milliseconds, prices, environment }),
    // Each call writes one object. All but the first of a run read one.
    s3Puts: calls * store.putDollars,
    s3Gets: ((requestsInS3 ? items.done : 0) + calls - runs) * store.getDollars,
    logs: logDollars(calls * (logs.callBytes + logs.lineBytes), prices),
  };
}
