/** What lets the search drop labels early: bounds of every rest, and the complete plans that were found so far. */
import type { ChainTotals, RunCost } from '../../cost/chain';
import type { PlanRequest } from '../goal';
import { type Label, type Rest, NO_REST, totalsOf } from './label';
import type { PricedGraph, Step } from './cut-graph';

const SUMS = ['warmDollars', 'coldDollars', 'warmMs', 'coldMs', 'slices', 'puts', 'gets'] as const;

/**
 * Lower bounds of what the rest of a plan adds to its totals: backward shortest paths, one for each total. Each is the least of all rests on
 * its own, so no rest is below any of them.
 */
export class Bounds {
  /** By total and `layer * vertices + vertex`. Layer `n` has exactly `n` slices left; without a fixed number, there is one layer. */
  private readonly least: Readonly<Record<keyof Rest, Float64Array>>;

  constructor(
    private readonly graph: PricedGraph,
    private readonly slices?: number,
  ) {
    const { vertices, edges, model } = graph;
    const layers = slices === undefined ? 1 : slices + 1;
    const empty = (): Float64Array => {
      const bounds = new Float64Array(layers * vertices).fill(Infinity);
      bounds[vertices - 1] = 0;
      return bounds;
    };
    this.least = {
      ...{ warmDollars: empty(), coldDollars: empty(), warmMs: empty(), coldMs: empty() },
      ...{ loadMs: empty(), slices: empty(), puts: empty(), gets: empty() },
    };
    for (let index = edges.length - 1; index >= 0; index--) {
      const { from, to, steps } = edges[index];
      const added = leastOf(steps, model.warmsUp);
      for (let left = layers === 1 ? 0 : 1; left < layers; left++)
        this.relax(left * vertices + from, (layers === 1 ? 0 : left - 1) * vertices + to, added);
    }
  }

  rest(vertex: number, slicesBefore: number): Rest | undefined {
    const { least, slices, graph } = this;
    const at = (slices === undefined ? 0 : slices - slicesBefore) * graph.vertices + vertex;
    if (!(least.slices[at] < Infinity)) return undefined;
    return {
      warmDollars: least.warmDollars[at],
      coldDollars: least.coldDollars[at],
      warmMs: least.warmMs[at],
      coldMs: least.coldMs[at],
      // Slice 0 computes while the others load, so its own time may hide their loads.
      loadMs: slicesBefore === 0 ? 0 : least.loadMs[at],
      slices: least.slices[at],
      puts: least.puts[at],
      gets: least.gets[at],
    };
  }

  private relax(at: number, next: number, added: Rest): void {
    const { least } = this;
    for (const total of SUMS) {
      const sum = least[total][next] + added[total];
      if (sum < least[total][at]) least[total][at] = sum;
    }
    const load = Math.max(least.loadMs[next], added.loadMs);
    if (load < least.loadMs[at]) least.loadMs[at] = load;
  }
}

function leastOf(steps: readonly Step[], warmsUp: boolean): Rest {
  const least = (total: (step: Step) => number): number =>
    steps.reduce((before, step) => Math.min(before, total(step)), Infinity);
  return {
    warmDollars: least(({ warmDollars }) => warmDollars),
    coldDollars: least(({ coldDollars }) => coldDollars),
    warmMs: least(({ warmMs }) => warmMs),
    coldMs: least(({ loadMs, coldMs }) => (warmsUp ? coldMs : loadMs + coldMs)),
    loadMs: warmsUp ? least(({ loadMs }) => loadMs) : 0,
    slices: 1,
    puts: steps[0].inState?.isAnswered ? 0 : 1,
    gets: steps[0].inState?.readsAll ? 0 : 1,
  };
}

export interface Found {
  readonly label: Label;
  readonly totals: ChainTotals;
  readonly cost: RunCost;
}

/** Bounds are sums in another order than the totals that they bound, so they may be too high by some roundings. */
const ROUNDING = 1 - 1e-9;

export class Incumbents {
  best: Found | undefined;
  private readonly slack: number;

  constructor(
    private readonly graph: PricedGraph,
    private readonly request: PlanRequest,
  ) {
    this.slack = 1 + (request.epsilon ?? 0);
  }

  /** Takes a complete plan into account if it keeps the limits. */
  offer(label: Label): void {
    const { maxSlices, maxDollars = Infinity, maxLatencyMs = Infinity } = this.request;
    if (label.slices > maxSlices) return;
    const { model, temperature } = this.graph;
    const totals = totalsOf(label, NO_REST, this.graph);
    const cost = model.run(totals, temperature);
    if (cost.dollars > maxDollars || this.time(cost) > maxLatencyMs) return;
    const found = { label, totals, cost };
    if (this.best === undefined || this.isBetter(found, this.best)) this.best = found;
  }

  /** Whether no plan that continues the label is within the limits and better than the best one. */
  isHopeless(label: Label, rest: Rest | undefined): boolean {
    const { request, best } = this;
    const { model, temperature } = this.graph;
    if (rest === undefined || label.slices + rest.slices > request.maxSlices) return true;
    const { minimize, maxDollars = Infinity, maxLatencyMs = Infinity, quantile } = request;
    if (minimize === 'slices' && best && label.slices + rest.slices > best.label.slices) return true;
    const totals = totalsOf(label, rest, this.graph);
    const dollars = model.dollars(totals, temperature) * ROUNDING;
    if (dollars > maxDollars) return true;
    if (best !== undefined && minimize !== 'latency') {
      const mayWinBySlices = minimize === 'slices' && label.slices + rest.slices < best.label.slices;
      if (!mayWinBySlices && dollars * this.slack > best.cost.dollars) return true;
    }
    // Quantiles of a mix take long to compute.
    if (minimize !== 'latency' && maxLatencyMs === Infinity) return false;
    const latest = this.latestMs();
    const isLate = (own: ChainTotals): boolean => !model.isWithin(own, temperature, quantile, latest);
    // The delays of many slices take long to add up. Those of fewer slices are a lower bound, and are known.
    if (best !== undefined && label.slices + rest.slices > best.label.slices) {
      const fewer = { ...rest, slices: best.label.slices - label.slices };
      if (isLate(totalsOf(label, fewer, this.graph))) return true;
    }
    return isLate(totals);
  }

  private latestMs(): number {
    const { best, request } = this;
    const { minimize, maxLatencyMs = Infinity } = request;
    const isFastest = minimize === 'latency' && best !== undefined;
    return Math.min(maxLatencyMs, isFastest ? this.time(best.cost) / this.slack : Infinity) / ROUNDING;
  }

  /** Ties go to the plan that was found first: the search goes through cuts and memory sizes in ascending order. */
  private isBetter(a: Found, b: Found): boolean {
    const [keysOfA, keysOfB] = [this.keys(a), this.keys(b)];
    const decisive = keysOfA.findIndex((key, index) => key !== keysOfB[index]);
    return decisive >= 0 && keysOfA[decisive] < keysOfB[decisive];
  }

  private keys({ label: { slices, movedBytes }, cost }: Found): number[] {
    switch (this.request.minimize) {
      case 'slices':
        return [slices, cost.dollars, movedBytes, this.time(cost)];
      case 'cost':
        return [cost.dollars, this.time(cost), slices, movedBytes];
      case 'latency':
        return [this.time(cost), cost.dollars, slices, movedBytes];
    }
  }

  private time({ latency }: RunCost): number {
    return latency[this.request.quantile];
  }
}
