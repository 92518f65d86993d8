/**
 * The path for a fixed number of slices: that with the smallest largest function, among the paths that cost little more than the cheapest
 * one that shares the work.
 *
 * Users name a number of slices to bound the memory of each function and what it loads and computes. So the largest function has two sizes:
 * its memory and its time. The path has the least product of both: no other one saves more of one, as a share, than it adds to the other.
 * By memory alone, a cut that saves 8 % could leave all nodes but one in one slice.
 *
 * Every goal here is a limit on each edge, and a path within limits exists if the cheapest one does. So bisection over the limits, with one
 * shortest path for each step, finds the best path: these are bottleneck shortest paths, one criterion after the other.
 */
import { busyMs, isNearEmpty, memoryMb, nearEmptySeconds } from '../sizes/estimate';
import { type CutGraph, pricedEdges } from './cut-graph';
import { type ShortestPath, shortestPath } from './shortest-path';
import { weighingsOf } from './weighing';
import type { PlanRequest } from '../goal';

/**
 * A cut shares the work if each slice does at least this part of what the smallest slice does in the cut that shares it best. Without
 * this, the cheapest cut would be that of slices of a few nodes at the ends of a model, which do nothing.
 */
const LEAST_PART = 0.5;

/** How many times the price of the cheapest cut that shares the work an even cut may cost. */
export const MOST_DOLLARS_FACTOR = 1.25;

/** By this share, the largest slice may take longer and do more work than in the most even cut, if a run costs less then. */
export const EVEN_TOLERANCE = 0.1;

/** By this share, a run may cost more if the slices below the largest one then share the work. */
const WORK_TOLERANCE = 0.02;

/** Whether an edge may be a slice. */
type Limit = (edge: number) => boolean;

/** @param request with one memory size for each edge */
export function evenPath(graph: CutGraph, request: PlanRequest, slices: number) {
  const paths = new LimitedPaths(graph, request, slices);
  const { seconds } = paths;
  const work = ascending(seconds);
  const smallest = largestThat(work, (least) => paths.costsAtMost(Infinity, [atLeast(seconds, least)]));
  if (smallest === undefined) return undefined;
  // If some slices do nearly nothing in every cut, only the price counts for them.
  const part = isNearEmpty(smallest, graph.total.coreSeconds, slices) ? 0 : LEAST_PART * smallest;
  const sharing = paths.cheapest([atLeast(seconds, part)]);
  const largest = sharing && smallestFunction(paths, MOST_DOLLARS_FACTOR * sharing.weight);
  const cheapest = largest && paths.cheapest(largest);
  if (largest === undefined || cheapest === undefined) return undefined;

  // If one layer takes the longest in every cut, the work of the other slices still counts, but less than the price.
  const isCheap = (limits: readonly Limit[]): boolean =>
    paths.costsAtMost((1 + WORK_TOLERANCE) * cheapest.weight, limits);
  const useful = [...largest, atLeast(seconds, nearEmptySeconds(graph.total.coreSeconds, slices))];
  const within = isCheap(useful) ? useful : largest;
  const mostSeconds = smallestThat(work, (most) => isCheap([...within, atMost(seconds, most)])) ?? Infinity;
  return paths.cheapest([...within, atMost(seconds, (1 + EVEN_TOLERANCE) * mostSeconds)]);
}

function atMost(numbers: Float64Array, most: number): Limit {
  return (edge) => numbers[edge] <= most;
}

function atLeast(numbers: Float64Array, least: number): Limit {
  return (edge) => numbers[edge] >= least;
}

/** The limits with the least product of memory and time, with some tolerance of time. */
function smallestFunction(paths: LimitedPaths, mostDollars: number): readonly Limit[] | undefined {
  const times = ascending(paths.ms);
  let least = Infinity;
  let best: readonly Limit[] | undefined;
  for (const mostMb of ascending(paths.memoryMb)) {
    const inMemory = atMost(paths.memoryMb, mostMb);
    const shorter = times.filter((ms) => mostMb * ms < least);
    const mostMs = smallestThat(shorter, (most) =>
      paths.costsAtMost(mostDollars, [inMemory, atMost(paths.ms, most)]),
    );
    if (mostMs === undefined) continue;
    least = mostMb * mostMs;
    best = [inMemory, atMost(paths.ms, (1 + EVEN_TOLERANCE) * mostMs)];
  }
  return best;
}

/** The edges of a graph as parallel lists, because a search goes through all of them many times. */
class LimitedPaths {
  readonly memoryMb: Float64Array;
  readonly seconds: Float64Array;
  readonly ms: Float64Array;
  private readonly dollars: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    private readonly graph: CutGraph,
    request: PlanRequest,
    private readonly slices: number,
  ) {
    const { edges } = graph;
    const [dollars] = weighingsOf(request);
    this.dollars = Float64Array.from(pricedEdges(graph, request), ({ steps: [step] }) => dollars(step));
    this.memoryMb = Float64Array.from(edges, ({ size }) => memoryMb(size));
    this.seconds = Float64Array.from(edges, ({ size }) => size.coreSeconds);
    this.ms = Float64Array.from(edges, ({ size }) => busyMs(size, request.model));
    this.squares = this.ms.map((ms) => ms * ms);
  }

  costsAtMost(dollars: number, limits: readonly Limit[]): boolean {
    const found = this.cheapest(limits);
    return found !== undefined && found.weight <= dollars;
  }

  cheapest(limits: readonly Limit[]): ShortestPath | undefined {
    const { graph, dollars, slices, squares } = this;
    const weights = dollars.map((own, edge) => (limits.every((keeps) => keeps(edge)) ? own : Infinity));
    return shortestPath(graph.vertices.length, graph.edges, weights, slices, squares);
  }
}

function ascending(numbers: Float64Array): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function smallestThat(numbers: readonly number[], holds: (number: number) => boolean): number | undefined {
  const last = numbers.at(-1);
  // Often none does.
  if (last === undefined || !holds(last)) return undefined;
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle])) high = middle;
    else low = middle + 1;
  }
  return numbers[low];
}

function largestThat(numbers: readonly number[], holds: (number: number) => boolean): number | undefined {
  return smallestThat([...numbers].reverse(), holds);
}
