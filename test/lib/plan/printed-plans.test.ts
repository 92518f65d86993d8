/** Compares what is printed of chosen plans with all plans of random models. */
import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { analyzeModel } from '../../../lib/compile/analyze';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { plannedRuns } from '../../../lib/compile/plan-estimates';
import type { CostOptions } from '../../../lib/cost/cost-options';
import type { Temperature, Transport } from '../../../lib/cost/cost-model';
import type { RunOutcomes } from '../../../lib/cost/schedule-cost';
import { costOf } from '../../../lib/cost/schedule-cost';
import { SlicedInferenceError } from '../../../lib/errors';
import type { ChosenCut } from '../../../lib/plan/best-cut';
import { bestCut } from '../../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../../lib/plan/schedule/whole-model';
import { isWorthwhile } from '../../../lib/plan/schedule/whole-model';
import type { AutomaticOptions, Goal, Slicer } from '../../../lib/plan/search/slicers';
import { automatic, count } from '../../../lib/plan/search/slicers';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import { memoryMb, threadCount } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { randomWideModel } from '../../support/random-wide-model';

analyzeFast();

const MODELS = Number(process.env.MODELS ?? 8);
const SEED = Number(process.env.SEED ?? 23);
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

export const setting: fc.Arbitrary<Setting> = fc.record({
  costs: fc.record({
    stateMachineType: fc.constantFrom('express', 'standard'),
    requestsPerHour: fc.constantFrom(1, 10, 20, 1000),
    request: fc.constantFrom('inline', 's3'),
    result: fc.constantFrom('inline', 's3'),
  }) as fc.Arbitrary<CostOptions>,
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
  readonly known = new Map<string, Tried>();

  constructor(
    private readonly analyzed: AnalyzedModel,
    private readonly own: Setting,
    private readonly goal: Goal,
    private readonly maxMemorySize: number,
  ) {
    const { dataflow, cuts } = analyzed;
    const spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
    this.cuts = spaces.flatMap(({ legal, dataflow: { order } }) =>
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
    const { whole, ...cut } = this.cuts[index];
    const { own, analyzed } = this;
    const beside = whole && { ...whole, memoryMb: Math.max(memoryMb(whole.size), ...memory) };
    if (isConsolidated) {
      if (beside === undefined || own.consolidation === 'never') return undefined;
      const { cuts } = analyzed;
      const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
      if (
        own.consolidation === 'automatic' &&
        !isWorthwhile(beside, sizes, memory, analyzed.costs, { maxMemoryMb: this.maxMemorySize })
      )
        return undefined;
    } else if (own.consolidation === 'always' && cut.groups.length > 1) return undefined;
    const settings = {
      memoryMb: memory,
      threads: threadCount(Math.max(...memory)),
      transport: own.transport,
      temperature: own.temperature,
    } as unknown as ChosenCut['settings'];
    const tried = printed(
      analyzed,
      { ...cut, settings, ...(isConsolidated && beside && { whole: beside }) },
      this.goal,
    );
    this.known.set(key, tried);
    return tried;
  }
}

const SIZES = [512, 1024, 1769, 3008, 5307];

function atLeast(least: readonly number[], memory: number): number[] {
  return least.map((own) => Math.max(own, memory));
}

function bestOf(
  every: EveryPlan,
  max: number,
  isBetter: (a: Tried, b: Tried) => boolean,
  lower: (a: Tried) => number,
): Tried | undefined {
  let best: Tried | undefined;
  const offer = (tried: Tried | undefined) => {
    if (tried === undefined) return false;
    if (best === undefined || isBetter(tried, best)) {
      best = tried;
      return true;
    }
    return false;
  };
  const sizes = [...SIZES.filter((size) => size < max), max];
  const starts: { index: number; whole: boolean; tried: Tried }[] = [];
  every.cuts.forEach((cut, index) => {
    const least = every.least(cut);
    if (Math.max(...least) > max) return;
    for (const whole of [false, true]) {
      let own: Tried | undefined;
      for (const size of sizes) {
        const tried = every.try(index, atLeast(least, size), whole);
        if (tried && (own === undefined || isBetter(tried, own))) own = tried;
        offer(tried);
      }
      if (own) starts.push({ index, whole, tried: own });
    }
  });
  // Descend from the most promising ones.
  starts.sort((a, b) => (isBetter(a.tried, b.tried) ? -1 : 1));
  for (const start of starts.slice(0, 4)) {
    const least = every.least(every.cuts[start.index]);
    let own = start.tried;
    for (let improved = true; improved; ) {
      improved = false;
      for (let slice = 0; slice < least.length; slice++) {
        for (let size = least[slice]; size <= max; size = size < max ? Math.min(max, size + Math.max(64, Math.floor((size * 0.05) / 64) * 64)) : max + 1) {
          const memory = own.memory.map((mb, other) => (other === slice ? size : mb));
          const tried = every.try(start.index, memory, start.whole);
          if (tried && isBetter(tried, own)) {
            own = tried;
            improved = true;
          }
        }
      }
    }
    offer(own);
  }
  return best;
}

test('x', () => {
  const samples = fc.sample(fc.record({ model: randomWideModel, setting }), { numRuns: MODELS, seed: SEED });
  const log = (line: object) => { fs.appendFileSync('/tmp/ws/out.txt', JSON.stringify(line) + '\n'); };
  for (const [number, { model, setting: own }] of samples.entries()) {
    if (process.env.ONLY && Number(process.env.ONLY) !== number) continue;
    const analyzed = analyzeModel(model(), { costs: own.costs, transport: own.transport });
    const sets = 2 ** analyzed.cuts.legal.length + (analyzed.cuts.withoutRepeats ? 2 ** analyzed.cuts.withoutRepeats.legal.length : 0);
    if (sets > MOST_SETS) continue;
    const { temperature, quantile, share } = own;
    const [wholeSize] = sliceSizes(...(() => { const c = bestCut(analyzed.dataflow, analyzed.cuts, count(1)); return [c.dataflow, c.wiring, analyzed.cuts.bytes, analyzed.cuts.costs] as const; })());
    const maxMemorySize = Math.min(10_240, Math.max(512, Math.floor(own.memoryShare * memoryMb(wholeSize))));
    const common: AutomaticOptions = { temperature, quantile, maxMemorySize, transports: [own.transport] };
    const goal: Goal = { minimize: 'cost', temperature, quantile };
    const start = process.cpuUsage().user;
    const every = new EveryPlan(analyzed, own, goal, maxMemorySize);
    const dollars = (a: Tried) => a.dollars;
    const time = (a: Tried) => a.time;
    const cheapest = bestOf(every, maxMemorySize, (a, b) => a.dollars < b.dollars, dollars);
    const fastest = bestOf(every, maxMemorySize, (a, b) => a.time < b.time || (a.time === b.time && a.dollars < b.dollars), time);
    if (cheapest === undefined || fastest === undefined) {
      log({ number, none: true });
      continue;
    }
    const L = fastest.time + share * (cheapest.time - fastest.time);
    const D = cheapest.dollars + share * (fastest.dollars - cheapest.dollars);
    const within = (a: Tried) => a.time <= L;
    const cheap = (a: Tried) => a.dollars <= D;
    const goals: [string, AutomaticOptions, Tried | undefined, (a: Tried) => number][] = [
      ['cost', { minimize: 'cost' }, cheapest, dollars],
      ['latency', { minimize: 'latency' }, fastest, time],
      ['slices', { minimize: 'slices' }, bestOf(every, maxMemorySize, (a, b) => a.slices < b.slices || (a.slices === b.slices && a.dollars < b.dollars), dollars), dollars],
    ];
    if (L < cheapest.time) goals.push(
      ['cost in time', { minimize: 'cost', maxLatencyMs: L }, bestOf(every, maxMemorySize, (a, b) => within(a) !== within(b) ? within(a) : within(a) ? a.dollars < b.dollars : a.time < b.time, dollars), dollars],
      ['slices in time', { minimize: 'slices', maxLatencyMs: L }, bestOf(every, maxMemorySize, (a, b) => within(a) !== within(b) ? within(a) : !within(a) ? a.time < b.time : a.slices < b.slices || (a.slices === b.slices && a.dollars < b.dollars), dollars), dollars],
    );
    if (D < fastest.dollars) goals.push(
      ['time in cost', { minimize: 'latency', maxCostPerMillion: D * 1e6 }, bestOf(every, maxMemorySize, (a, b) => cheap(a) !== cheap(b) ? cheap(a) : cheap(a) ? a.time < b.time : a.dollars < b.dollars, time), time],
    );
    const bf = process.cpuUsage().user;
    for (const [name, options, best, of] of goals) {
      if (best === undefined) continue;
      const slicer = automatic({ ...common, ...options });
      let chosen: Tried | string;
      try {
        chosen = printed(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, slicer, own.consolidation), slicer.goal);
      } catch (error) {
        if (!(error instanceof SlicedInferenceError)) throw error;
        chosen = error.message;
      }
      if (typeof chosen === 'string') { log({ number, name, chosen, best, L, D }); continue; }
      const ratio = chosen.slices === best.slices || name.startsWith('cost') || name.includes('latency') || name.startsWith('time') ? of(chosen) / of(best) : chosen.slices / best.slices;
      const late = options.maxLatencyMs !== undefined && chosen.time > options.maxLatencyMs;
      const dear = options.maxCostPerMillion !== undefined && chosen.dollars * 1e6 > options.maxCostPerMillion * (1 + 1e-12);
      const bestIndex = every.cuts.findIndex((c, i) => c.groups.length === best.slices && [...every.known.entries()].some(([k, v]) => v === best && k.startsWith(`${i} `)));
      const sched = (c: ChosenCut) => JSON.stringify(scheduleSlices({ slices: c.wiring.slices, outputs: c.wiring.results }));
      const short = (a: Tried) => `${a.groups} ${a.slices}${a.whole ? 'W' : ''} ${(a.dollars * 1e6).toFixed(3)} ${a.time.toFixed(1)} [${a.memory.join(' ')}]`;
      log({ ratio: +ratio.toFixed(4), number, name, late, dear, chosen: short(chosen), best: short(best), ...(ratio > 1.02 ? { sb: sched(every.cuts[bestIndex]) } : {}), ...(ratio > 1.02 || late || dear ? { own, sets, L, D, maxMemorySize } : {}) });
    }
    log({ number, sets, bfMs: (bf - start) / 1e3, planMs: (process.cpuUsage().user - bf) / 1e3 });
  }
});
