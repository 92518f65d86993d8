/**
 * The shortest path by several criteria, by label setting: at each vertex, the search keeps the labels that no other label dominates. The
 * model of cost is monotone in each total, so a dominated partial plan cannot become a better plan. The search also drops labels that
 * cannot become better than a complete plan that it has found, even if their rest were as good as the bounds of each total.
 *
 * Field: multi-criteria label setting, see E. Q. V. Martins, "On a multicriteria shortest path problem", 1984.
 */
import { coldShareAt } from '../../cost/chain';
import type { PlanRequest } from '../goal';
import { type Label, LabelSet, START, criteriaOf, extended, requestDelays } from './label';
import type { PricedEdge, PricedGraph, Step } from './cut-graph';
import { type Found, Bounds, Incumbents } from './pruning';

export function bestPath(graph: PricedGraph, request: PlanRequest): Found | undefined {
  const { slices, stepEpsilon = 0 } = request;
  const { vertices, edges, model } = graph;
  const incumbents = new Incumbents(graph, request);
  // The search then drops labels that cannot beat the best of these.
  for (const label of weightedPlans(graph, request)) incumbents.offer(label);
  const bounds = new Bounds(graph, slices);
  if (incumbents.isHopeless(START, bounds.rest(0, 0))) return incumbents.best;
  // With a fixed number of slices, a label with fewer slices does not dominate one with more.
  const layers = slices === undefined ? 1 : slices + 1;
  const criteria = criteriaOf(request, graph);
  const sets = Array.from({ length: layers * vertices }, () => new LabelSet(criteria, 1 + stepEpsilon));
  const setOf = ({ vertex, slices: before }: Label): LabelSet =>
    sets[(slices === undefined ? 0 : before) * vertices + vertex];
  setOf(START).add(START);
  const edgesFrom = byFirstVertex(edges, vertices);
  for (let from = 0; from < vertices - 1; from++) {
    for (let layer = 0; layer < layers; layer++) {
      for (const label of sets[layer * vertices + from].labels) {
        // Better plans may have been found since the label was kept.
        if (incumbents.isHopeless(label, bounds.rest(from, label.slices))) continue;
        if (label.slices === slices) continue;
        for (const { to, steps } of edgesFrom[from]) {
          const rest = bounds.rest(to, label.slices + 1);
          if (rest === undefined) continue;
          for (const step of steps) {
            const next = extended(label, to, step, model, rest.loadMs);
            if (to === vertices - 1) incumbents.offer(next);
            else if (!incumbents.isHopeless(next, rest)) setOf(next).add(next);
          }
        }
      }
    }
  }
  return incumbents.best;
}

function byFirstVertex(edges: readonly PricedEdge[], vertices: number): PricedEdge[][] {
  const from: PricedEdge[][] = Array.from({ length: vertices }, () => []);
  for (const edge of edges) from[edge.from].push(edge);
  return from;
}

/** Dollars of a millisecond: from a price at which time hardly matters to one at which a run's dollars hardly matter. */
const PRICES_OF_TIME = [0, 1e-9, 1e-8, 3e-8, 1e-7, 1e-6];
/** More than any run costs. */
const PRICE_OF_SLICE = 1e3;

function weightedPlans(graph: PricedGraph, { minimize, slices }: PlanRequest): readonly Label[] {
  const { model, temperature, transport } = graph;
  const delays = requestDelays(model, transport);
  const cold = coldShareAt(temperature, model.coldShare);
  const mixed = (ofWarm: number, ofCold: number): number => (1 - cold) * ofWarm + cold * ofCold;
  const msOf = ({ warmMs, coldMs, loadMs, inState }: Step): number =>
    mixed(warmMs, coldMs + loadMs) +
    (delays.slice - (inState?.isAnswered ? delays.put : 0) - (inState?.readsAll ? delays.get : 0));
  const perSlice = minimize === 'slices' ? PRICE_OF_SLICE : 0;
  const byPrices = PRICES_OF_TIME.map(
    (perMs) => (step: Step) =>
      mixed(step.warmDollars, step.coldDollars) + (perMs + model.dollarsPerMs) * msOf(step) + perSlice,
  );
  return [...byPrices, msOf].flatMap((weigh) => lightestPlan(graph, weigh, slices) ?? []);
}

/**
 * The plan whose steps have the least sum of weights.
 *
 * @returns `undefined` if there is none with this number of slices
 */
export function lightestPlan(
  { edges, vertices, model }: PricedGraph,
  weigh: (step: Step, edge: PricedEdge) => number,
  slices?: number,
): Label | undefined {
  const lightest = edges.map((edge) => {
    const weights = edge.steps.map((step) => weigh(step, edge));
    const least = weights.reduce((a, b) => Math.min(a, b), Infinity);
    return { step: edge.steps[weights.indexOf(least)], least };
  });
  const weights = Float64Array.from(lightest, ({ least }) => least);
  const found = shortestPath(vertices, edges, weights, slices);
  if (found === undefined) return undefined;
  const { path } = found;
  return path.slice(1).reduce((label, to) => {
    const edge = edges.findIndex((each) => each.from === label.vertex && each.to === to);
    return extended(label, to, lightest[edge].step, model);
  }, START);
}

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
  edges: readonly { readonly from: number; readonly to: number }[],
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
