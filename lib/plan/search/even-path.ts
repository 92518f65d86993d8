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
import { busyMs, isNearEmpty, memoryMb, nearEmptySeconds, unevenness } from '../sizes/estimate';
import type { DetailedCostModel } from '../../cost/model';
import type { CutGraph, PricedGraph, Step } from './cut-graph';
import { type ShortestPath, shortestPath, lightestPlan } from './label-setting';
import { coldShareAt } from '../../cost/chain';
import type { PlanRequest } from '../goal';
import type { Label } from './label';
import { type Found, Incumbents } from './pruning';

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

/** @param priced the same edges, each with one memory size */
export function evenPath(graph: CutGraph, priced: PricedGraph, slices: number, model: DetailedCostModel) {
  const paths = new LimitedPaths(graph, priced, slices, model);
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
    priced: PricedGraph,
    private readonly slices: number,
    model: DetailedCostModel,
  ) {
    const { edges } = graph;
    const cold = coldShareAt(priced.temperature, model.coldShare);
    this.dollars = Float64Array.from(priced.edges, ({ steps: [step] }) => {
      const warm = step.warmDollars + model.dollarsPerMs * step.warmMs;
      return (1 - cold) * warm + cold * (step.coldDollars + model.dollarsPerMs * step.coldMs);
    });
    this.memoryMb = Float64Array.from(edges, ({ size }) => memoryMb(size));
    this.seconds = Float64Array.from(edges, ({ size }) => size.coreSeconds);
    this.ms = Float64Array.from(edges, ({ size }) => busyMs(size, model));
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

/** Share of the dollars and of the latency of the best plan that a more even plan may have in addition. */
const SETTLED_TOLERANCE = 0.01;

/**
 * How many times the unevenness of equal slices all dollars and milliseconds weigh, and all bytes moved, of which each weighs less. Plans
 * for small weights are more even, and may be outside of the tolerance.
 */
const WEIGHTS = Array.from({ length: 20 }, (_, step) => 2 ** (step / 2));
const WEIGHT_OF_BYTES = 1 / 64;

/** Factor on the bytes that the best plan moves which a settled plan may move at most. */
const MAX_MORE_BYTES = 1.5;

/** Fewer bytes than this for each slice hardly matter: reading them takes less time than waiting for the first of them. */
const NEGLIGIBLE_BYTES = 64 * 1024;

/** The most even plan that the weights find within the tolerance. It has as many slices as the best plan. */
export function settled(graph: CutGraph, priced: PricedGraph, request: PlanRequest, best: Found): Found {
  const { slices } = best.label;
  if (slices === 1) return best;
  const within = tolerated(request, best);
  const mostBytes = MAX_MORE_BYTES * movedAtLeast(best.label);
  const uneven = graph.edges.map(({ from, to, size: { weightBytes } }) => {
    const nodes = graph.vertices[to] - graph.vertices[from];
    return unevenness({ nodes, weightBytes }, graph.total, slices);
  });
  const unevennessOf = new Map(priced.edges.map((edge, index) => [edge, uneven[index]]));
  const burden = burdenOf(priced, best);
  for (const weight of WEIGHTS) {
    const label = lightestPlan(
      priced,
      (step, edge) => (unevennessOf.get(edge) ?? 0) + weight * burden(step),
      slices,
    );
    if (label === undefined || label.movedBytes > mostBytes) continue;
    const incumbents = new Incumbents(priced, within);
    incumbents.offer(label);
    if (incumbents.best !== undefined) return incumbents.best;
  }
  return best;
}

/** By this share, the plan costs more than the best one, or takes longer if latency is minimized; 0 if it is not worse. */
export function gapOf({ minimize, quantile }: PlanRequest, { cost }: Found, best: Found): number {
  const [own, least] =
    minimize === 'latency'
      ? [cost.latency[quantile], best.cost.latency[quantile]]
      : [cost.dollars, best.cost.dollars];
  return Math.max(0, own / least - 1);
}

/** The bytes that a plan moves, or a negligible amount if that is more. */
function movedAtLeast({ movedBytes, slices }: Pick<Label, 'movedBytes' | 'slices'>): number {
  return Math.max(movedBytes, NEGLIGIBLE_BYTES * slices);
}

function tolerated(request: PlanRequest, { cost }: Found): PlanRequest {
  const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile, minimize } = request;
  const more = 1 + SETTLED_TOLERANCE;
  return {
    ...request,
    // The fastest plan is worth its price, so a cheaper one is welcome, and a dearer one is not.
    maxDollars: Math.min(maxDollars, (minimize === 'latency' ? 1 : more) * cost.dollars),
    maxLatencyMs: Math.min(maxLatencyMs, more * cost.latency[quantile]),
  };
}

function burdenOf(
  { model, temperature }: PricedGraph,
  { cost, label, totals }: Found,
): (step: Step) => number {
  const cold = coldShareAt(temperature, model.coldShare);
  const mixed = (ofWarm: number, ofCold: number): number => (1 - cold) * ofWarm + cold * ofCold;
  const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  const movedBytes = movedAtLeast(label);
  const time = mixed(totals.warmMs, totals.coldMs);
  return (step) =>
    WEIGHT_OF_BYTES * ratio(step.movedBytes, movedBytes) +
    ratio(mixed(step.warmDollars, step.coldDollars), cost.dollars) +
    ratio(mixed(step.warmMs, step.coldMs), time);
}
