/** The shortest paths of each number of edges in a graph whose edges lead forward. */

/** Sums that differ by less are equal but for rounding; then the first path stays, at every size of the model. */
const TIE = 1e-9;

export interface ShortestPath {
  /** Vertices, from the first to the last one. */
  readonly path: readonly number[];
  readonly weight: number;
}

interface EdgeEnds {
  readonly from: number;
  readonly to: number;
}

/**
 * The path from the first to the last vertex with the least sum of weights.
 *
 * @param weights by edge, not negative; an infinite one leaves the edge out
 * @param length number of edges of the path
 * @param tieBreakers by edge: of paths with the same weight, the one with the least sum of these
 * @returns `undefined` if there is no such path
 */
export function shortestPath(
  vertices: number,
  edges: readonly EdgeEnds[],
  weights: Float64Array,
  length: number,
  tieBreakers?: Float64Array,
): ShortestPath | undefined {
  return shortestPaths(vertices, edges, weights, length, tieBreakers)[length];
}

/** By number of edges, up to `longest`: the shortest path. */
export function shortestPaths(
  vertices: number,
  edges: readonly EdgeEnds[],
  weights: Float64Array,
  longest: number,
  tieBreakers?: Float64Array,
): (ShortestPath | undefined)[] {
  // By vertex, then by number of edges before it.
  const row = longest + 1;
  const reached = new Float64Array(vertices * row).fill(Infinity);
  const ties = new Float64Array(vertices * row);
  const before = new Int32Array(vertices * row);
  // By vertex: the fewest and the most edges before it.
  const fewest = new Int32Array(vertices).fill(row);
  const most = new Int32Array(vertices).fill(-1);
  [reached[0], fewest[0], most[0]] = [0, 0, 0];
  for (let edge = 0; edge < edges.length; edge++) {
    const weight = weights[edge];
    if (weight === Infinity) continue;
    const { from, to } = edges[edge];
    const last = Math.min(longest - 1, most[from]);
    if (fewest[from] > last) continue;
    fewest[to] = Math.min(fewest[to], fewest[from] + 1);
    most[to] = Math.max(most[to], last + 1);
    for (let count = fewest[from]; count <= last; count++) {
      const sum = reached[from * row + count] + weight;
      const tie = ties[from * row + count] + (tieBreakers?.[edge] ?? 0);
      const at = to * row + count + 1;
      const isTie = tieBreakers !== undefined && sum <= reached[at] && tie < ties[at] * (1 - TIE);
      if (!(sum < reached[at] * (1 - TIE)) && !isTie) continue;
      [reached[at], ties[at], before[at]] = [sum, tie, from];
    }
  }
  return Array.from({ length: row }, (_, length) => {
    const weight = reached[(vertices - 1) * row + length];
    if (weight === Infinity) return undefined;
    const path = [vertices - 1];
    for (let count = length; count > 0; count--) path.unshift(before[path[0] * row + count]);
    return { path, weight };
  });
}
