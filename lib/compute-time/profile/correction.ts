/** Corrects the times that the profiler measures, so that their sum is the time of a run without the profiler. */

/** Most seconds that ONNX Runtime spends between two nodes: 0.9 microseconds were measured for a graph of 1,601 nodes. */
const MOST_BETWEEN_NODES = 2e-6;

/** Most seconds that the profiler adds to an event, in which it describes the tensors: 1.4 microseconds in the same graph. */
const MOST_OF_PROFILER = 4e-6;

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
  const sumOf = (of: Correction): number => times.reduce((sum, measured) => sum + of(measured), 0);
  const events = sumOf((measured) => measured.events);
  const added = events === 0 ? 0 : (sumOf(({ time }) => time) - total) / events;
  const ofEvent = Math.min(MOST_OF_PROFILER, Math.max(-MOST_BETWEEN_NODES, added));
  const shifted: Correction = ({ time, events: own }) => Math.max(0, time - ofEvent * own);
  const sum = sumOf(shifted);
  return sum === 0 ? ({ time }) => time : (measured) => (shifted(measured) * total) / sum;
}
