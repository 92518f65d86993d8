/** Corrects the times that the profiler measures, so that their sum is the time of a run without the profiler. */

/** Most seconds that ONNX Runtime spends between two nodes: 0.9 microseconds were measured for a graph of 1,601 nodes. */
const MOST_BETWEEN_NODES = 2e-6;

/**
 * The profiler describes the tensors of a node within the time of the node, which takes longer than a small node. And
 * without it, ONNX Runtime spends time between nodes, which no node has. Both are about the same for each node, so all
 * times shift by the same number of seconds; none becomes negative. The rest is a machine that was busier in one of the two
 * runs: it scales all times.
 *
 * @param times by node, in seconds
 * @param total seconds of a run without the profiler
 * @returns a function of a node's time
 */
export function correction(times: readonly number[], total: number): (time: number) => number {
  const sum = times.reduce((all, time) => all + time, 0);
  if (times.length === 0 || sum === 0) return (time) => time;
  if (total < sum) {
    const shift = shiftDown(times, total);
    return (time) => Math.max(0, time - shift);
  }
  const shift = Math.min(MOST_BETWEEN_NODES, (total - sum) / times.length);
  const scale = total / (sum + shift * times.length);
  return (time) => (time + shift) * scale;
}

/** How much to take from each time. Times below it become 0, and the others bear the rest. */
function shiftDown(times: readonly number[], total: number): number {
  const sorted = [...times].sort((a, b) => b - a);
  let above = 0;
  for (const [index, time] of sorted.entries()) {
    above += time;
    const shift = (above - total) / (index + 1);
    if (shift >= (sorted.at(index + 1) ?? 0)) return shift;
  }
  return sorted[0];
}
