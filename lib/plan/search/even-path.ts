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
import { DEFAULT_GOAL, type PlanRequest } from '../goal';
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

/** Limits on each slice. */
interface Limits {
  readonly mostMemoryMb?: number;
  readonly leastSeconds?: number;
  readonly mostSeconds?: number;
  /** Of its function in a run, see `busyMs`. */
  readonly mostMs?: number;
}

/** @param priced the same edges, each with one memory size */
export function evenPath(graph: CutGraph, priced: PricedGraph, slices: number, model: DetailedCostModel) {
  const paths = new LimitedPaths(graph, priced, slices, model);
  const work = ascending(paths.seconds);
  const smallest = largestThat(work, (leastSeconds) => paths.cheapest({ leastSeconds }) !== undefined);
  if (smallest === undefined) return undefined;
  // If some slices do nearly nothing in every cut, only the price counts for them.
  const part = isNearEmpty(smallest, graph.total.coreSeconds, slices) ? 0 : LEAST_PART * smallest;
  const sharing = paths.cheapest({ leastSeconds: part });
  const largest = sharing && smallestFunction(paths, MOST_DOLLARS_FACTOR * sharing.weight);
  const cheapest = largest && paths.cheapest(largest);
  if (cheapest === undefined) return undefined;

  // If one layer takes the longest in every cut, the work of the other slices still counts, but less than the price.
  const mostDollars = (1 + WORK_TOLERANCE) * cheapest.weight;
  const isCheap = (limits: Limits): boolean => paths.costsAtMost(mostDollars, { ...largest, ...limits });
  const ofUseful = nearEmptySeconds(graph.total.coreSeconds, slices);
  const leastSeconds = isCheap({ leastSeconds: ofUseful }) ? ofUseful : 0;
  const mostSeconds = smallestThat(work, (most) => isCheap({ leastSeconds, mostSeconds: most })) ?? Infinity;
  return paths.cheapest({ ...largest, leastSeconds, mostSeconds: (1 + EVEN_TOLERANCE) * mostSeconds });
}

/** The limits with the least product of memory and time, with some tolerance of time. */
function smallestFunction(paths: LimitedPaths, mostDollars: number): Limits | undefined {
  const times = ascending(paths.ms);
  let best: { readonly mostMemoryMb: number; readonly mostMs: number } | undefined;
  for (const mostMemoryMb of ascending(paths.memoryMb)) {
    const most = best === undefined ? Infinity : (best.mostMemoryMb * best.mostMs) / mostMemoryMb;
    const shorter = times.filter((ms) => ms < most);
    const isWithin = (mostMs?: number): boolean =>
      mostMs !== undefined && paths.costsAtMost(mostDollars, { mostMemoryMb, mostMs });
    if (!isWithin(shorter.at(-1))) continue;
    const mostMs = smallestThat(shorter, isWithin);
    if (mostMs !== undefined) best = { mostMemoryMb, mostMs };
  }
  return best && { ...best, mostMs: (1 + EVEN_TOLERANCE) * best.mostMs };
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
    const cold = coldShareAt(DEFAULT_GOAL.temperature, model.coldShare);
    this.dollars = Float64Array.from(priced.edges, ({ steps: [step] }) => {
      const warm = step.warmDollars + model.dollarsPerMs * step.warmMs;
      return (1 - cold) * warm + cold * (step.coldDollars + model.dollarsPerMs * step.coldMs);
    });
    this.memoryMb = Float64Array.from(edges, ({ size }) => memoryMb(size));
    this.seconds = Float64Array.from(edges, ({ size }) => size.coreSeconds);
    this.ms = Float64Array.from(edges, ({ size }) => busyMs(size, model));
    this.squares = this.ms.map((ms) => ms * ms);
  }

  costsAtMost(dollars: number, limits: Limits): boolean {
    const found = this.cheapest(limits);
    return found !== undefined && found.weight <= dollars;
  }

  cheapest({
    mostMemoryMb = Infinity,
    leastSeconds = 0,
    mostSeconds = Infinity,
    mostMs = Infinity,
  }: Limits): ShortestPath | undefined {
    const { graph, memoryMb, seconds, ms } = this;
    const weights = this.dollars.map((dollars, edge) => {
      const isWithin =
        seconds[edge] >= leastSeconds &&
        seconds[edge] <= mostSeconds &&
        ms[edge] <= mostMs &&
        memoryMb[edge] <= mostMemoryMb;
      return isWithin ? dollars : Infinity;
    });
    return shortestPath(graph.vertices.length, graph.edges, weights, this.slices, this.squares);
  }
}

function ascending(numbers: Float64Array): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function smallestThat(numbers: readonly number[], holds: (number: number) => boolean): number | undefined {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle])) high = middle;
    else low = middle + 1;
  }
  return numbers.at(low);
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
