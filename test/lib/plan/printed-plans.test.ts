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
  if (every.length === 0) return [];
  /** The plan with the least keys; of plans beyond a limit, the nearest one. */
  const best = (keysOf: (a: Printed) => number[], excessOf: (a: Printed) => number = () => 0): Printed => {
    const keyed = every.map((plan) => ({ plan, keys: [Math.max(0, excessOf(plan)), ...keysOf(plan)] }));
    return keyed.reduce((a, b) => {
      const decisive = a.keys.findIndex((key, index) => key !== b.keys[index]);
      return decisive >= 0 && b.keys[decisive] < a.keys[decisive] ? b : a;
    }).plan;
  };
  const ofCost = ({ dollars }: Printed): number[] => [dollars];
  const ofTime = ({ time, dollars }: Printed): number[] => [time, dollars];
  const ofSlices = ({ slices, whole, dollars }: Printed): number[] => [slices, whole ? 0 : 1, dollars];
  const [cheapest, fastest] = [best(ofCost), best(ofTime)];
  const maxLatencyMs = fastest.time + share * (cheapest.time - fastest.time);
  const maxDollars = cheapest.dollars + share * (fastest.dollars - cheapest.dollars);
  const late = ({ time }: Printed): number => time - maxLatencyMs;
  const dear = ({ dollars }: Printed): number => dollars - maxDollars;
  const [dollarsOf, timeOf] = [(a: Printed) => a.dollars, (a: Printed) => a.time];
  const goals: [string, AutomaticOptions, Printed, (a: Printed) => number][] = [
    ['cost', { minimize: 'cost' }, cheapest, dollarsOf],
    ['latency', { minimize: 'latency' }, fastest, timeOf],
    ['slices', { minimize: 'slices' }, best(ofSlices), dollarsOf],
    ['cost in time', { minimize: 'cost', maxLatencyMs }, best(ofCost, late), dollarsOf],
    ['slices in time', { minimize: 'slices', maxLatencyMs }, best(ofSlices, late), dollarsOf],
    [
      'time in cost',
      { minimize: 'latency', maxCostPerMillion: maxDollars * 1e6 },
      best(ofTime, dear),
      timeOf,
    ],
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
