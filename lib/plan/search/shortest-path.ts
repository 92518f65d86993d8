/** The shortest path by one criterion, with any or with a fixed number of edges. */

/** The edges of a graph whose vertices are numbered from 0; by first vertex, ascending. */
export type Edges = readonly { readonly from: number; readonly to: number }[];

/** Sums that differ by less are equal but for rounding; then the first path stays, at every size of the model. */
const TIE = 1e-9;

export interface ShortestPath {
  /** Vertices, from the first to the last one. */
  readonly path: readonly number[];
  readonly weight: number;
}

/**
 * The path from the first to the last vertex with the least sum of weights.
 *
 * @param weights by edge, not negative; an infinite one leaves the edge out
 * @param length number of edges of the path; any number without it
 * @param tieBreakers by edge: of paths with the same weight, the one with the least sum of these
 * @returns `undefined` if there is no such path
 */
export function shortestPath(
  vertices: number,
  edges: Edges,
  weights: Float64Array,
  length?: number,
  tieBreakers?: Float64Array,
): ShortestPath | undefined {
  // By vertex, then by number of edges before it; one number for all without a length.
  const row = length === undefined ? 1 : length + 1;
  const reached = new Float64Array(vertices * row).fill(Infinity);
  const ties = new Float64Array(vertices * row);
  const before = new Int32Array(vertices * row);
  // By vertex: the fewest and the most edges before it.
  const fewest = new Int32Array(vertices).fill(row);
  const most = new Int32Array(vertices).fill(-1);
  [reached[0], fewest[0], most[0]] = [0, 0, 0];
  const step = length === undefined ? 0 : 1;
  for (let edge = 0; edge < edges.length; edge++) {
    const weight = weights[edge];
    if (weight === Infinity) continue;
    const { from, to } = edges[edge];
    const last = Math.min(row - 1 - step, most[from]);
    if (fewest[from] > last) continue;
    fewest[to] = Math.min(fewest[to], fewest[from] + step);
    most[to] = Math.max(most[to], last + step);
    for (let count = fewest[from]; count <= last; count++) {
      const sum = reached[from * row + count] + weight;
      const tie = ties[from * row + count] + (tieBreakers?.[edge] ?? 0);
      const at = to * row + count + step;
      const isTie = tieBreakers !== undefined && sum <= reached[at] && tie < ties[at] * (1 - TIE);
      if (!(sum < reached[at] * (1 - TIE)) && !isTie) continue;
      [reached[at], ties[at], before[at]] = [sum, tie, from];
    }
  }
  const weight = reached[vertices * row - 1];
  if (weight === Infinity) return undefined;
  const path = [vertices - 1];
  for (let [vertex, count] = [vertices - 1, row - 1]; vertex > 0; count -= step) {
    vertex = before[vertex * row + count];
    path.unshift(vertex);
  }
  return { path, weight };
}
