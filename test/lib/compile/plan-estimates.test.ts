/** What the runs of a plan cost, and whether one function would do. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { assembleReport } from '../../../bin/plan/report/assemble-report';
import { compileCut } from '../../../lib/compile/compile';
import { planEstimates, planLimits } from '../../../lib/compile/plan-estimates';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import type { CostOptions } from '../../../lib/cost/options';
import { bestCut } from '../../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../../lib/plan/pricing/price';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { threadCount } from '../../../lib/plan/sizes/estimate';
import { type Slicer, automatic, count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { sparseModel } from '../../support/sparse-model';
import { analyzeFast } from '../../support/inference/fast-analysis';

analyzeFast();

const small = analyzeModel(saveModel(mlp(4)));
const large = analyzeModel(sparseModel(8));

const estimatesOf = (slicer: Slicer, analyzed = small) =>
  planEstimates(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, slicer), slicer);

describe('the estimates of a plan', () => {
  it('are the cost that the search has compared', () => {
    const slicer = automatic({ minimize: 'cost', temperature: 'warm' });
    const { settings } = bestCut(small.dataflow, small.cuts, slicer);
    expect(estimatesOf(slicer).warm).toMatchObject(settings?.cost ?? {});
  });

  it('have no warm-ups of a Standard state machine that save little, as its pipeline has none', () => {
    const runsOf = (warmUp?: boolean) => {
      const costs = { stateMachineType: 'standard' as const, ...(warmUp !== undefined && { warmUp }) };
      return estimatesOf(count(4), analyzeModel(small.source[0].path, { costs }));
    };
    expect(runsOf().warm).toEqual(runsOf(false).warm);
    expect(runsOf().cold).toEqual(runsOf(false).cold);
    expect(runsOf(true).warm.dollars).toBeGreaterThan(runsOf().warm.dollars);
  });
});

test.each<[string, Slicer, ConsolidationMode]>([
  ['a number of slices', count(4), 'never'],
  ['a number of slices beside the whole model', count(4), 'always'],
  ['a search with a limit of memory', automatic({ maxMemorySize: 1024 }), 'never'],
  ['a search for the least time at a rate', automatic({ minimize: 'latency', requestsPerHour: 3 }), 'never'],
])('synthesis says of %s what the report says', (_, slicer, mode) => {
  const cut = bestCut(large.dataflow, large.cuts, slicer, mode);
  const { verdict } = planEstimates(large, cut, slicer).oneFunction;
  const report = assembleReport(large, cut, compileCut(large, cut).plan, planLimits(slicer));
  expect(report.verdict[0]).toBe(`${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}.`);
});

describe('the estimates of a plan with consolidation', () => {
  const slicer = count(8);
  const estimate = (costs: CostOptions, mode: 'always' | 'never', own = slicer) => {
    const analyzed = analyzeModel(large.source[0].path, { costs });
    return planEstimates(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, own, mode), own);
  };

  it.each<[string, CostOptions]>([
    ['Express', {}],
    ['Standard', { stateMachineType: 'standard' }],
  ])('have warm runs of one function, and cold runs of the slices and a question, in %s', (_, costs) => {
    const [both, slices] = [estimate(costs, 'always'), estimate(costs, 'never')];
    const one = estimate(costs, 'never', count(1));
    expect(both.warm.dollars).toBeLessThanOrEqual(1.05 * one.warm.dollars);
    expect(both.warm.latency.p50).toBeLessThanOrEqual(1.05 * one.warm.latency.p50);
    expect(both.warm.dollars).toBeLessThan(slices.warm.dollars);
    expect(both.warm.latency.p50).toBeLessThan(slices.warm.latency.p50);
    expect(both.cold.dollars).toBeGreaterThan(slices.cold.dollars);
    expect(both.cold.latency.p50).toBeGreaterThan(slices.cold.latency.p50);
    expect(both.cold.latency.p50).toBeLessThan(one.cold.latency.p50);
  });

  it('charge a Standard execution for the question, the load and the state that holds it', () => {
    const standard = { stateMachineType: 'standard' as const };
    const transition = 25 / 1e6;
    const added = (warmUp: boolean) => {
      const costs = { ...standard, warmUp };
      const express = { warmUp };
      const ofMachine = estimate(costs, 'always').cold.dollars - estimate(costs, 'never').cold.dollars;
      const ofFunctions = estimate(express, 'always').cold.dollars - estimate(express, 'never').cold.dollars;
      return (ofMachine - ofFunctions) / transition;
    };
    // Express charges the time of the question, which is a small part of a transition.
    expect(added(true)).toBeCloseTo(2, 1);
    expect(added(false)).toBeCloseTo(3, 1);
  });

  it('pay for the log lines of the question and the load of a cold run', () => {
    const added = (lines: number) => {
      const logs = { callBytes: 3 * lines, lineBytes: 50 * lines, warmUpBytes: 4 * lines, startBytes: lines };
      const costs = { environment: { ...DEFAULT_ENVIRONMENT, logs } };
      return estimate(costs, 'always').cold.dollars - estimate(costs, 'never').cold.dollars;
    };
    // Two calls of seven units, and one more of the new sandbox that loads, at $0.50 a GB.
    expect((added(1000) - added(0)) * 1e6).toBeCloseTo((15_000 * 0.5e6) / 2 ** 30, 6);
  });

  it('price cold slices with the threads of the whole model, which they have when they are deployed', () => {
    const cut = bestCut(large.dataflow, large.cuts, slicer, 'always');
    if (cut.whole === undefined) throw new Error('eight slices can be consolidated');
    const threads = threadCount(cut.whole.memoryMb);
    const alone = plannedRuns(large, cut);
    expect(alone.settings.threads).toBeLessThan(threads);
    // With memory of several vCPUs, more threads make a slice faster.
    const { settings: chosen } = bestCut(large.dataflow, large.cuts, automatic({ slices: 8 }));
    if (chosen === undefined) throw new Error('an automatic cut has settings');
    const settings = { ...chosen, memoryMb: alone.settings.memoryMb.map(() => 4_000) };
    const coldRun = (own: number) => ({ ...cut, settings: { ...settings, threads: own } });
    const [few, many] = [alone.settings.threads, threads].map(coldRun);
    const [ofFew, ofMany] = [few, many].map((own) => plannedRuns(large, own));
    expect(ofMany.slices.outcomes.cold.dollars).not.toBe(ofFew.slices.outcomes.cold.dollars);
    expect(ofMany.plan.cold.dollars).toBe(ofFew.plan.cold.dollars);
  });
});
