/** The slices of a range of nodes from which the planner starts: shortest paths by several weighings, for each number of slices. */
import { type CutSpace, candidateCuts, candidateLimit } from '../cuts/cuts';
import { type Range, sizeRanges } from '../cuts/range-sizes';
import { SlicedInferenceError } from '../../errors';
import { largestOf } from '../../extremes';
import { type PlanRequest, type SearchQuality, DEFAULT_GOAL } from '../goal';
import * as cutting from '../search/cut-graph';
import { shortestPath, shortestPaths } from '../search/shortest-path';
import { type Weighing, EVEN_LOADS, lightestOf, weighingsOf } from '../search/weighing';
import { unevenness } from '../sizes/estimate';
import type { Groups } from '../wiring/wiring';
import type { Choice } from './slicer';
import { SliceTooLargeError } from './too-large';
import { MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';

/** Prices of edges that one search computes at most, so that it takes less than a second. */
const MAX_PRICES = 40_000;

/** By how many slices more than the fewest possible ones plans have. Single moves lead to the numbers between them. */
const ADDED_SLICES = [0, 1, 2, 3, 5, 8, 12, 18, 27, 40];

/** How many times the unevenness of equal slices all that is weighed counts, and all bytes moved, of which each counts less. */
const WEIGHTS = [1, 4, 16, 64, 256];
const WEIGHT_OF_BYTES = 1 / 64;

/** Factor on the bytes that the lightest plan moves which an even plan may move at most. */
const MAX_MORE_BYTES = 1.5;

/** Fewer bytes than this for each slice hardly matter: reading them takes less time than waiting for the first of them. */
const NEGLIGIBLE_BYTES = 64 * 1024;

interface Searched {
  readonly graph: cutting.CutGraph;
  readonly edges: readonly cutting.PricedEdge[];
}

/** The searches in one range within one limit on sizes, which share their graphs. */
export class RangeSearch {
  private readonly legal: readonly number[];
  private readonly filled: FilledSlices;
  /** By the most cuts that are compared. */
  private readonly graphs = new Map<number, Searched>();

  constructor(
    private readonly space: CutSpace,
    private readonly limit: cutting.SizeLimit,
    private readonly range: Range = cutting.whole(space),
  ) {
    this.legal = cutting.legalIn(space, range);
    this.filled = filledSlices(space, this.legal, range, limit);
  }

  /** The lightest plan of each number of slices by each weighing, the likeliest ones first. */
  plans(request: PlanRequest): readonly Choice[] {
    const { graph, edges } = this.searched(request);
    const counts = countsOf(request, graph);
    if (counts.length === 0) throw this.noPlan(graph, request);
    const weighings = isTimed(request) ? [EVEN_LOADS, ...weighingsOf(request)] : weighingsOf(request);
    const found = weighings.flatMap((weigh) => {
      const weights = weightsOf(edges, weigh);
      const paths = shortestPaths(graph.vertices.length, edges, weights, largestOf(counts));
      return counts.flatMap((count) => paths[count] ?? []);
    });
    if (found.length === 0) throw this.noPlan(graph, request);
    const quality = this.quality(graph, request);
    return distinct(found.map(({ path }) => path)).map((path) => ({ groups: graph.groupsOf(path), quality }));
  }

  /** Plans of so many slices that hardly move more bytes than the lightest one, the most even one first. */
  evenPlans(
    request: PlanRequest,
    slices: number,
  ): readonly { readonly groups: Groups; readonly more: number }[] {
    const { graph, edges } = this.searched(request);
    const { vertices, total } = graph;
    const weights = weightsOf(edges, weighingsOf(request)[0]);
    const lightest = (own: Float64Array) => shortestPath(vertices.length, edges, own, slices);
    const best = lightest(weights);
    if (best === undefined) return [];
    const moved = edges.map(({ size }) => size.readBytes + size.writeBytes);
    const mostBytes = Math.max(sumAlong(edges, best.path, moved), NEGLIGIBLE_BYTES * slices);
    const uneven = edges.map(({ from, to, size: { weightBytes } }) =>
      unevenness({ nodes: vertices[to] - vertices[from], weightBytes }, total, slices),
    );
    const even = WEIGHTS.flatMap((weight) => {
      const burdens = weights.map((own, edge) => {
        const ofBytes = WEIGHT_OF_BYTES * (moved[edge] / mostBytes);
        return 2 * (own / best.weight) + ofBytes + uneven[edge] / weight;
      });
      const path = lightest(burdens)?.path;
      return path && sumAlong(edges, path, moved) <= MAX_MORE_BYTES * mostBytes ? [path] : [];
    });
    return distinct([...even, best.path]).map((path) => ({
      groups: graph.groupsOf(path),
      more: sumAlong(edges, path, weights) / best.weight - 1,
    }));
  }

  private quality(graph: cutting.CutGraph, request: PlanRequest): SearchQuality {
    const comparedCuts = graph.vertices.length - 2;
    return { comparedCuts, comparedAllCuts: this.isOne(request) || comparedCuts === this.legal.length };
  }

  private isOne({ maxLatencyMs, maxDollars, minimize, slices = 1 }: PlanRequest): boolean {
    const isUnlimited = maxLatencyMs === undefined && maxDollars === undefined;
    const { cuts, tooLarge } = this.filled;
    return cuts.length === 0 && !tooLarge && isUnlimited && minimize === 'slices' && slices === 1;
  }

  private searched(request: PlanRequest): Searched {
    const { space, legal, range, limit } = this;
    const most = this.isOne(request) ? 0 : mostCuts(request, range);
    const known = this.graphs.get(most);
    if (known !== undefined) return known;
    const cuts = most === 0 ? [] : candidateCuts(space, legal, most, this.filled.cuts);
    const graph = cutting.CutGraph.of(space, cuts, range, limit);
    const searched = { graph, edges: cutting.pricedEdges(graph, request) };
    this.graphs.set(most, searched);
    return searched;
  }

  private noPlan(graph: cutting.CutGraph, { maxSlices }: PlanRequest): SlicedInferenceError {
    const range = this.filled.tooLarge ?? graph.tooLarge;
    if (range !== undefined) {
      const { from: start, to: end, size } = range;
      return SliceTooLargeError.of(this.space, { start, end }, this.limit, size);
    }
    return new SlicedInferenceError(
      `a plan must have at most ${maxSlices} slices`,
      'more slices in every plan within the memory',
      'raise the memory that a function may have',
    );
  }
}

/** Whether the loads of cold runs decide about plans. */
function isTimed({ minimize, maxLatencyMs, temperature }: PlanRequest): boolean {
  return temperature !== 'warm' && (minimize === 'latency' || maxLatencyMs !== undefined);
}

function countsOf(request: PlanRequest, graph: cutting.CutGraph): readonly number[] {
  const { slices, minimize, maxSlices, maxLatencyMs, maxDollars } = request;
  const fewest = fewestSlices(graph);
  if (fewest > maxSlices) return [];
  if (slices !== undefined) return [slices];
  const isFixed = minimize === 'slices' && maxLatencyMs === undefined && maxDollars === undefined;
  const most = Math.min(maxSlices, graph.vertices.length - 1);
  return (isFixed ? [0] : ADDED_SLICES).map((added) => fewest + added).filter((count) => count <= most);
}

/** Infinity if no slices keep the limit. */
function fewestSlices({ vertices, edges }: cutting.CutGraph): number {
  const fewest = vertices.map((_, vertex) => (vertex === 0 ? 0 : Infinity));
  for (const { from, to } of edges) fewest[to] = Math.min(fewest[to], fewest[from] + 1);
  return fewest[vertices.length - 1];
}

function weightsOf(edges: readonly cutting.PricedEdge[], weigh: Weighing): Float64Array {
  return Float64Array.from(edges, ({ steps }) => lightestOf(steps, weigh).weight);
}

/** @param numbers by edge */
function sumAlong(
  edges: readonly cutting.PricedEdge[],
  path: readonly number[],
  numbers: ArrayLike<number>,
): number {
  const next = new Map(path.map((vertex, index) => [vertex, path[index + 1]]));
  return edges.reduce((sum, { from, to }, edge) => (next.get(from) === to ? sum + numbers[edge] : sum), 0);
}

function distinct(paths: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return [...new Map(paths.map((path) => [path.join(' '), path])).values()];
}

function mostCuts(request: PlanRequest, { start, end }: Range): number {
  const affordable = Math.floor(Math.sqrt((2 * MAX_PRICES) / (1 + request.memorySizes.length)));
  return Math.min(candidateLimit(end - start), affordable);
}

interface FilledSlices {
  /** None if everything fits into one slice, or if not everything fits. */
  readonly cuts: readonly number[];
  readonly tooLarge?: cutting.TooLarge;
}

/** Fills each slice with as many nodes as fit, so that the candidate cuts allow the fewest slices. */
function filledSlices(
  space: CutSpace,
  legal: readonly number[],
  { start, end }: Range,
  limit: cutting.SizeLimit,
): FilledSlices {
  const boundaries = [start, ...legal, end];
  const cuts: number[] = [];
  for (let from = 0; from < boundaries.length - 1;) {
    let furthest = from;
    let first: cutting.TooLarge | undefined;
    sizeRanges(space, boundaries, from, (to, size) => {
      const fits = limit.fits(size);
      if (fits) furthest = to;
      first ??= { from: boundaries[from], to: boundaries[to], size };
      return fits || !limit.isHopeless(size);
    });
    if (furthest === from) return { cuts: [], ...(first && { tooLarge: first }) };
    if (furthest < boundaries.length - 1) cuts.push(boundaries[furthest]);
    from = furthest;
  }
  return { cuts };
}

/** Each function gets the least memory that fits. It has the vCPUs of that memory, so no slice needs more threads. */
export function leastMemory(space: CutSpace): PlanRequest {
  return {
    ...DEFAULT_GOAL,
    minimize: 'cost',
    model: space.costs.model(),
    maxMemoryMb: Infinity,
    memorySizes: [],
    transport: 's3-standard',
    threads: space.costs.threads(MAX_LAMBDA_MEMORY_MB),
    maxSlices: Infinity,
  };
}
