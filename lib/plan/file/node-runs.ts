/** Shortens lists of node indexes to runs of consecutive indexes, as `PlannedSlice.nodes` has them. */

/** First and last index of consecutive nodes. */
export type NodeRun = readonly [number, number];

/** The runs in ascending order. */
export function toRuns(indexes: readonly number[]): NodeRun[] {
  const runs: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs;
}

/** The indexes in the order of the runs. */
export function fromRuns(runs: readonly NodeRun[]): number[] {
  return runs.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}
