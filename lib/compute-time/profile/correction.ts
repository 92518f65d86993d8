/** Corrects the times that the profiler measures, so that their sum is the time of a run without the profiler. */

import { sumOf as sumOfAll } from '../../extremes';

/** Most seconds that ONNX Runtime spends between two nodes: 0.9 microseconds were measured for a graph of 1,601 nodes. */
const MOST_BETWEEN_NODES = 2e-6;

/** Most seconds that the profiler adds to an event, in which it describes the tensors: 1.4 microseconds in the same graph. */
const MOST_OF_PROFILER = 4e-6;

const HALVINGS = 40;

export interface MeasuredTime {
  readonly time: number;
  /** Number of events of the profiler in this time: that of the node, and those of the nodes in its bodies. */
  readonly events: number;
}

/** Returns the seconds without the profiler of a time that was measured with it. */
export type Correction = (measured: MeasuredTime) => number;

/**
 * The profiler adds about the same time to each event, which is more than a small node takes. And without it, ONNX Runtime
 * spends time between nodes, which no node has. The rest is a machine that was busier in one of the two runs: it scales all
 * times. No time becomes negative.
 *
 * @param times by node
 * @param total seconds of a run without the profiler
 */
export function correction(times: readonly MeasuredTime[], total: number): Correction {
  const sumOf = (correct: Correction): number => times.reduce((sum, measured) => sum + correct(measured), 0);
  const less =
    (each: number): Correction =>
    ({ time, events }) =>
      Math.max(0, time - each * events);
  const sum = sumOf(less(0));
  if (sum === 0) return ({ time }) => time;
  const shifted =
    total < sum
      ? less(largest(MOST_OF_PROFILER, (each) => sumOf(less(each)) >= total))
      : less(-Math.min(MOST_BETWEEN_NODES, (total - sum) / sumOfAll(times.map(({ events }) => events))));
  const scale = total / sumOf(shifted);
  return Number.isFinite(scale) ? (measured) => shifted(measured) * scale : less(0);
}

/** The largest number up to `most` that is allowed. Zero is allowed, and so is each number below an allowed one. */
function largest(most: number, isAllowed: (number: number) => boolean): number {
  if (isAllowed(most)) return most;
  let low = 0;
  let high = most;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (isAllowed(middle)) low = middle;
    else high = middle;
  }
  return low;
}
