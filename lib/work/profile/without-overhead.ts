/** Corrects the times of the profiler, which takes some time for each node itself. */

/**
 * Shifts all times by the same number of seconds, so that their sum is `total`. No time becomes negative.
 *
 * ONNX Runtime's profiler describes the tensors of a node within the time of the node, which takes longer than a small
 * node. And without it, ONNX Runtime spends time between the nodes. Both are about the same for each node.
 *
 * @param times by node, in seconds
 * @param total seconds of a run without the profiler
 * @returns the shift, in seconds: what to add to each time
 */
export function shiftToTotal(times: readonly number[], total: number): number {
  const sum = times.reduce((all, time) => all + time, 0);
  if (times.length === 0) return 0;
  if (total >= sum) return (total - sum) / times.length;
  // Times at or below the shift become 0, and the others bear the rest.
  const sorted = [...times].sort((a, b) => b - a);
  let above = 0;
  for (const [index, time] of sorted.entries()) {
    above += time;
    const shift = (above - total) / (index + 1);
    const next = sorted.at(index + 1) ?? 0;
    if (shift >= next) return -Math.min(shift, time);
  }
  return -sorted[0];
}
