/** Compares what is printed of chosen plans with all plans of random models. */
import * as fc from 'fast-check';
import { analyzeModel, type AnalyzedModel } from '../../../lib/compile/analyze';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import type { CostOptions } from '../../../lib/cost/options';
import type { Temperature, Transport } from '../../../lib/cost/chain';
import { costOf } from '../../../lib/cost/schedule';
import { sumOf } from '../../../lib/extremes';
import { spacesOf } from '../../../lib/plan/cuts/cuts';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { bestCut } from '../../../lib/plan/best-cut';
import { type ConsolidationMode, isWorthwhile } from '../../../lib/plan/pricing/price';
import { type AutomaticOptions, type Slicer, automatic, count } from '../../../lib/plan/slicers';
import type { Goal } from '../../../lib/plan/goal';
import { memoryMb, threadCount } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { randomWideModel } from '../../support/random-wide-model';

analyzeFast();

/** `PLANS_MODELS=30` tries as many as the figures in `docs/performance.md`. */
const MODELS = Number(process.env.PLANS_MODELS ?? 8);
const SEED = Number(process.env.PLANS_SEED ?? 12);
const MOST_SETS = 128;

interface Setting {
  readonly costs: CostOptions;
  readonly consolidation: ConsolidationMode;
  readonly transport: Transport;
  readonly memoryShare: number;
  readonly temperature: Temperature;
  readonly quantile: 'p50' | 'p95';
  readonly share: number;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  costs: fc.record({
    stateMachineType: fc.constantFrom('express', 'standard'),
    requestsPerHour: fc.constantFrom(1, 10, 20, 1000),
    request: fc.constantFrom('inline', 's3'),
    result: fc.constantFrom('inline', 's3'),
  }),
  consolidation: fc.constantFrom('automatic', 'automatic', 'never', 'always'),
  transport: fc.constantFrom('s3-standard', 's3-standard', 's3-express'),
  memoryShare: fc.constantFrom(0.4, 0.5, 0.7, 0.9, 1, 3),
  temperature: fc.constantFrom('warm', 'cold', 'mixed', 'mixed'),
  quantile: fc.constantFrom('p50', 'p95', 'p95'),
  share: fc.double({ min: 0.02, max: 0.9, noNaN: true }),
});

interface Tried {
  readonly groups: string;
  readonly slices: number;
  readonly dollars: number;
  readonly time: number;
  readonly memory: readonly number[];
  readonly whole: boolean;
}

/** What is printed of a plan. */
function printed(analyzed: AnalyzedModel, cut: ChosenCut, goal: Goal): Tried {
  const { plan, slices, settings } = plannedRuns(analyzed, cut, goal);
  const { dollars, latency } = costOf(plan, slices.model.coldShare, goal.temperature);
  return {
    groups: cut.groups.map((g) => g.length).join('+'),
    slices: cut.groups.length,
    dollars,
    time: latency[goal.quantile],
    memory: settings.memoryMb,
    whole: cut.whole !== undefined,
  };
}

class EveryPlan {
  readonly cuts: readonly ChosenCut[];
  private readonly known = new Map<string, Tried>();

  constructor(
    private readonly analyzed: AnalyzedModel,
    private readonly own: Setting,
    private readonly goal: Goal,
    private readonly maxMemorySize: number,
  ) {
    const { dataflow, cuts } = analyzed;
    this.cuts = spacesOf(cuts).flatMap(({ legal, dataflow: { order } }) =>
      Array.from({ length: 2 ** legal.length }, (_, set) => {
        const boundaries = [0, ...legal.filter((_cut, index) => (set >> index) & 1), order.length];
        const groups = boundaries.slice(1).map((end, slice) => order.slice(boundaries[slice], end));
        const slicer: Slicer = { key: 'groups', choose: () => ({ groups }) };
        return bestCut(dataflow, cuts, slicer, 'always');
      }),
    );
  }

  least(cut: ChosenCut): number[] {
    const { cuts } = this.analyzed;
    return sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs).map(memoryMb);
  }

  /** With and without the whole model, as far as the pipeline may have it. */
  try(index: number, memory: readonly number[], isConsolidated: boolean): Tried | undefined {
    const key = `${index} ${memory.join(' ')} ${isConsolidated}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { own, analyzed } = this;
    const { whole, ...cut } = this.cuts[index];
    const beside =
      isConsolidated && whole ? { ...whole, memoryMb: Math.max(memoryMb(whole.size), ...memory) } : undefined;
    if (
      isConsolidated
        ? !this.mayBeside(cut, beside, memory)
        : own.consolidation === 'always' && cut.groups.length > 1
    )
      return undefined;
    const settings = {
      ...{ memoryMb: memory, threads: threadCount(Math.max(...memory)) },
      ...{ transport: own.transport, temperature: own.temperature },
    } as unknown as ChosenCut['settings'];
    const tried = printed(analyzed, { ...cut, settings, ...(beside && { whole: beside }) }, this.goal);
    this.known.set(key, tried);
    return tried;
  }

  private mayBeside(cut: ChosenCut, whole: ChosenCut['whole'], memory: readonly number[]): boolean {
    const { cuts, costs } = this.analyzed;
    if (whole === undefined || this.own.consolidation === 'never') return false;
    if (this.own.consolidation === 'always') return true;
    const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
    return isWorthwhile(whole, sizes, memory, costs, { maxMemoryMb: this.maxMemorySize });
  }
}

const SIZES = [512, 1024, 1769, 3008, 5307];

/** The best of all cuts with one memory size for all functions, and from the most promising ones with any sizes. */
function bestOf(every: EveryPlan, max: number, isBetter: (a: Tried, b: Tried) => boolean): Tried | undefined {
  const better = (a: Tried | undefined, b: Tried | undefined): Tried | undefined =>
    a && (b === undefined || isBetter(a, b)) ? a : b;
  const sizes = [...SIZES.filter((size) => size < max), max];
  const starts = every.cuts.flatMap((cut, index) => {
    const least = every.least(cut);
    if (Math.max(...least) > max) return [];
    return [false, true].flatMap((whole) => {
      const tried = sizes
        .map((size) =>
          every.try(
            index,
            least.map((own) => Math.max(own, size)),
            whole,
          ),
        )
        .reduce<Tried | undefined>((best, each) => better(each, best), undefined);
      return tried ? [{ index, whole, least, tried }] : [];
    });
  });
  starts.sort((a, b) => (isBetter(a.tried, b.tried) ? -1 : 1));
  const descended = starts.slice(0, 4).map(({ index, whole, least, tried }) => {
    let own = tried;
    for (let before: Tried | undefined; before !== own;) {
      before = own;
      least.forEach((smallest, slice) => {
        for (const size of sizesFrom(smallest, max)) {
          const memory = own.memory.map((mb, other) => (other === slice ? size : mb));
          own = better(every.try(index, memory, whole), own) ?? own;
        }
      });
    }
    return own;
  });
  return [...starts.map(({ tried }) => tried), ...descended].reduce<Tried | undefined>(
    (best, each) => better(each, best),
    undefined,
  );
}

/** In steps of 64 MB or a twentieth. */
function sizesFrom(least: number, max: number): number[] {
  const sizes: number[] = [];
  for (let size = least; size < max; size += Math.max(64, Math.floor((size * 0.05) / 64) * 64))
    sizes.push(size);
  return [...sizes, max];
}

/** What was compared of a goal. */
interface Compared {
  readonly name: string;
  /** Of what the goal minimizes: the chosen plan's by the best plan's. */
  readonly ratio: number;
  readonly keepsLimits: boolean | string;
}

function compared(analyzed: AnalyzedModel, own: Setting, title: string): Compared[] {
  const { temperature, quantile, share } = own;
  const one = bestCut(analyzed.dataflow, analyzed.cuts, count(1));
  const [whole] = sliceSizes(one.dataflow, one.wiring, analyzed.cuts.bytes, analyzed.cuts.costs);
  const maxMemorySize = Math.min(10_240, Math.max(512, Math.floor(own.memoryShare * memoryMb(whole))));
  const common: AutomaticOptions = { temperature, quantile, maxMemorySize, transport: own.transport };
  const every = new EveryPlan(analyzed, own, { minimize: 'cost', temperature, quantile }, maxMemorySize);
  const best = (isBetter: (a: Tried, b: Tried) => boolean) => bestOf(every, maxMemorySize, isBetter);
  const isCheaper = (a: Tried, b: Tried): boolean => a.dollars < b.dollars;
  const isFaster = (a: Tried, b: Tried): boolean => a.time < b.time || (a.time === b.time && isCheaper(a, b));
  const isSmaller = (a: Tried, b: Tried): boolean =>
    a.slices !== b.slices ? a.slices < b.slices : a.whole !== b.whole ? a.whole : isCheaper(a, b);
  const [cheapest, fastest] = [best(isCheaper), best(isFaster)];
  if (cheapest === undefined || fastest === undefined) return [];
  const maxLatencyMs = fastest.time + share * (cheapest.time - fastest.time);
  const maxDollars = cheapest.dollars + share * (fastest.dollars - cheapest.dollars);
  /** Plans within a limit before others, and of the others the nearest. */
  const within =
    (figure: (a: Tried) => number, limit: number, isBetter: (a: Tried, b: Tried) => boolean) =>
    (a: Tried, b: Tried): boolean => {
      const [isIn, isOtherIn] = [figure(a) <= limit, figure(b) <= limit];
      if (isIn !== isOtherIn) return isIn;
      return isIn ? isBetter(a, b) : figure(a) < figure(b);
    };
  const [dollars, time] = [(a: Tried) => a.dollars, (a: Tried) => a.time];
  const inTime = { maxLatencyMs };
  const inCost = { maxCostPerMillion: maxDollars * 1e6 };
  const goals: [string, AutomaticOptions, Tried | undefined, (a: Tried) => number][] = [
    ['cost', { minimize: 'cost' }, cheapest, dollars],
    ['latency', { minimize: 'latency' }, fastest, time],
    ['slices', { minimize: 'slices' }, best(isSmaller), dollars],
    ['cost in time', { minimize: 'cost', ...inTime }, best(within(time, maxLatencyMs, isCheaper)), dollars],
    [
      'slices in time',
      { minimize: 'slices', ...inTime },
      best(within(time, maxLatencyMs, isSmaller)),
      dollars,
    ],
    ['time in cost', { minimize: 'latency', ...inCost }, best(within(dollars, maxDollars, isFaster)), time],
  ];
  return goals.flatMap(([name, options, expected, figure]) => {
    if (expected === undefined) return [];
    const slicer = automatic({ ...common, ...options });
    let cut: ChosenCut;
    try {
      cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, own.consolidation);
    } catch (error) {
      // A plan keeps the limits, so the search must find one.
      return { name: `${title}, ${name}`, ratio: Infinity, keepsLimits: String(error) };
    }
    const chosen = printed(analyzed, cut, slicer.goal);
    const isCounted = options.minimize === 'slices' && chosen.slices !== expected.slices;
    return {
      name: `${title}, ${name}`,
      ratio: isCounted ? chosen.slices / expected.slices : figure(chosen) / figure(expected),
      keepsLimits:
        chosen.time <= (options.maxLatencyMs ?? Infinity) &&
        chosen.dollars * 1e6 <= (options.maxCostPerMillion ?? Infinity) * (1 + 1e-12) &&
        Math.max(...chosen.memory) <= maxMemorySize,
    };
  });
}

test(`the printed price and time of plans of ${MODELS} models are at most 2 % above the best ones, within the limits`, () => {
  const cases = fc.record({ model: randomWideModel, setting });
  const samples = fc.sample(cases, { numRuns: 3 * MODELS, seed: SEED });
  const found: Compared[] = [];
  let models = 0;
  for (const [number, { model, setting: own }] of samples.entries()) {
    if (models === MODELS) break;
    const analyzed = analyzeModel(model(), { costs: own.costs, transport: own.transport });
    const { cuts } = analyzed;
    if (sumOf(spacesOf(cuts).map(({ legal }) => 2 ** legal.length)) > MOST_SETS) continue;
    const ofModel = compared(analyzed, own, `model ${number}`);
    if (ofModel.length > 0) models++;
    found.push(...ofModel);
  }
  expect(models).toBe(MODELS);
  expect(found.filter(({ ratio, keepsLimits }) => ratio > 1.02 || keepsLimits !== true)).toEqual([]);
});
