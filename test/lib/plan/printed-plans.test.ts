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
import { type AutomaticOptions, automatic, count } from '../../../lib/plan/slicers';
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

/** What is printed of a plan. */
interface Printed {
  readonly slices: number;
  readonly dollars: number;
  readonly time: number;
  readonly memory: readonly number[];
  readonly whole: boolean;
}

function printed(analyzed: AnalyzedModel, cut: ChosenCut, goal: Goal): Printed {
  const { plan, slices, settings } = plannedRuns(analyzed, cut, goal);
  const { dollars, latency } = costOf(plan, slices.model.coldShare, goal.temperature);
  return {
    ...{ slices: cut.groups.length, dollars, time: latency[goal.quantile] },
    ...{ memory: settings.memoryMb, whole: cut.whole !== undefined },
  };
}

const SIZES = [512, 1024, 1769, 3008, 5307];

/** All cuts with one memory size for all functions, with and without the whole model, as far as the pipeline may have it. */
function everyPlan(analyzed: AnalyzedModel, own: Setting, goal: Goal, max: number): Printed[] {
  const { dataflow, cuts, costs } = analyzed;
  const { consolidation, transport, temperature } = own;
  const all = spacesOf(cuts).flatMap(({ legal, dataflow: { order } }) =>
    Array.from({ length: 2 ** legal.length }, (_, set) => {
      const boundaries = [0, ...legal.filter((_cut, index) => (set >> index) & 1), order.length];
      const groups = boundaries.slice(1).map((end, slice) => order.slice(boundaries[slice], end));
      return bestCut(dataflow, cuts, { key: 'groups', choose: () => ({ groups }) }, 'always');
    }),
  );
  return all.flatMap(({ whole, ...cut }) => {
    const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
    const least = sizes.map(memoryMb);
    if (Math.max(...least) > max) return [];
    return [...SIZES.filter((size) => size < max), max].flatMap((size) => {
      const memory = least.map((mb) => Math.max(mb, size));
      const beside = whole && { ...whole, memoryMb: Math.max(memoryMb(whole.size), ...memory) };
      const mayBeside =
        beside !== undefined &&
        consolidation !== 'never' &&
        (consolidation === 'always' || isWorthwhile(beside, sizes, memory, costs, { maxMemoryMb: max }));
      const mustBeside = consolidation === 'always' && least.length > 1;
      const settings = {
        ...{ memoryMb: memory, threads: threadCount(Math.max(...memory)), transport, temperature },
      } as unknown as ChosenCut['settings'];
      const alone: ChosenCut = { ...cut, settings };
      return [...(mustBeside ? [] : [alone]), ...(mayBeside ? [{ ...alone, whole: beside }] : [])].map(
        (each) => printed(analyzed, each, goal),
      );
    });
  });
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
  const every = everyPlan(analyzed, own, { minimize: 'cost', temperature, quantile }, maxMemorySize);
  const best = (isBetter: (a: Printed, b: Printed) => boolean): Printed =>
    every.reduce((a, b) => (isBetter(b, a) ? b : a));
  const isCheaper = (a: Printed, b: Printed): boolean => a.dollars < b.dollars;
  const isFaster = (a: Printed, b: Printed): boolean =>
    a.time < b.time || (a.time === b.time && isCheaper(a, b));
  const isSmaller = (a: Printed, b: Printed): boolean =>
    a.slices !== b.slices ? a.slices < b.slices : a.whole !== b.whole ? a.whole : isCheaper(a, b);
  if (every.length === 0) return [];
  const [cheapest, fastest] = [best(isCheaper), best(isFaster)];
  const maxLatencyMs = fastest.time + share * (cheapest.time - fastest.time);
  const maxDollars = cheapest.dollars + share * (fastest.dollars - cheapest.dollars);
  /** Plans within a limit before others, and of the others the nearest. */
  const within =
    (figure: (a: Printed) => number, limit: number, isBetter: (a: Printed, b: Printed) => boolean) =>
    (a: Printed, b: Printed): boolean => {
      const [isIn, isOtherIn] = [figure(a) <= limit, figure(b) <= limit];
      if (isIn !== isOtherIn) return isIn;
      return isIn ? isBetter(a, b) : figure(a) < figure(b);
    };
  const [dollars, time] = [(a: Printed) => a.dollars, (a: Printed) => a.time];
  const inTime = { maxLatencyMs };
  const inCost = { maxCostPerMillion: maxDollars * 1e6 };
  const goals: [string, AutomaticOptions, Printed, (a: Printed) => number][] = [
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
