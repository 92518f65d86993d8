/** Turns what the search found into a plan of stretches, priced without surcharges. */
import { largestOf } from '../../extremes';
import { threadCount } from '../sizes/estimate';
import type { Found } from './incumbents';
import { totalsOf } from './incumbents';
import { NO_REST } from './incumbents';
import { extended, stepsOf, START } from './labels';
import type { PlanRequest, StretchPlan } from './plan-request';
import { demandOf } from './step-table';
import type { StretchTable } from './stretch-table';

export function stretchPlan(
  table: StretchTable,
  request: PlanRequest,
  { label, shared }: Pick<Found, 'label' | 'shared'>,
): StretchPlan {
  const { model, temperature } = request;
  const { transport, threads } = shared;
  const steps = stepsOf(label);
  const last = table.boundaries.length - 1;
  const priced = steps.reduce((before, { from, to, step, joins }) => {
    const size = table.sizeBetween(from, to);
    const cost = model.step(demandOf(size, table.outputSecondsPerByte), {
      memoryMb: step.memoryMb,
      threads,
      readsFrom: from === 0 && table.isFirst ? 'request' : transport,
      writesTo: to === last && table.isLast ? 's3-standard' : transport,
      ...(step.inState && { inState: step.inState }),
    });
    return extended(before, to, { ...step, ...cost }, size, model, joins);
  }, START);
  const totals = totalsOf(priced, NO_REST, shared, table.isLast);
  return {
    stretches: steps.map(({ from, to, step }) => ({
      start: table.boundaries[from],
      end: table.boundaries[to],
      size: table.sizeBetween(from, to),
      memoryMb: step.memoryMb,
    })),
    // A slice with fewer vCPUs than that has no use for more threads.
    threads: Math.min(threads, threadCount(largestOf(steps.map(({ step }) => step.memoryMb)))),
    transport,
    totals,
    cost: model.run(totals, temperature),
    movedBytes: label.movedBytes,
  };
}
