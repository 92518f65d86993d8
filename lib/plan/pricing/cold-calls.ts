/** How long cold calls take: as planned, and where runs are slowest, for which functions get their timeouts. */
import type { PlanCosts } from '../cuts/cuts';
import type { CallSeconds } from '../file/plan';
import type { SliceSize } from '../sizes/estimate';
import { type SliceSettings, demandOf } from './price';

/** One of 1,000 requests to S3 takes longer. */
const RARE = 0.999;

/** By slice: a call that finds no sandbox, and whose tensors are all in S3. */
export function coldCalls(
  costs: PlanCosts,
  sizes: readonly SliceSize[],
  { memoryMb, threads, transport }: SliceSettings,
): CallSeconds[] {
  const secondsAt = (own: PlanCosts, quantile: number): number[] => {
    // With warm-ups, later slices load before they read, so these times do not overlap.
    const model = own.model(undefined, true);
    return sizes.map((size, slice) => {
      const readsFrom = slice === 0 ? 'request' : transport;
      const writesTo = slice === sizes.length - 1 ? 's3-standard' : transport;
      const choice = { memoryMb: memoryMb[slice], threads, readsFrom, writesTo } as const;
      const { loadMs, coldMs } = model.step(demandOf(size, own.outputSecondsPerByte), choice);
      const { get } = model.stores[readsFrom === 'request' ? 's3-standard' : readsFrom];
      const waitMs = get.quantile(quantile) + model.stores[writesTo].put.quantile(quantile);
      return Math.ceil(loadMs + coldMs + waitMs) / 1000;
    });
  };
  const slowest = secondsAt(costs.at('slow'), RARE);
  return secondsAt(costs, 0.5).map((planned, slice) => ({ planned, slowest: slowest[slice] }));
}
