/** Limits hold for what is printed of pipelines that also have one function with the whole model. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import type { RunCost } from '../../../lib/cost/chain';
import { costOf } from '../../../lib/cost/schedule';
import { bestCut } from '../../../lib/plan/best-cut';
import { type AutomaticOptions, automatic } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { sparseModel } from '../../support/sparse-model';

analyzeFast();

describe('a model of 1.3 GB', () => {
  const analyzed = analyzeModel(sparseModel(5));

  function costOfCold(options: AutomaticOptions): RunCost {
    const slicer = automatic({ temperature: 'cold', slices: 5, ...options });
    const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, 'always');
    const { plan, slices } = plannedRuns(analyzed, cut, slicer.goal);
    return costOf(plan, slices.model.coldShare, 'cold');
  }

  test('is refused with ALWAYS if that costs more than the limit', () => {
    const maxCostPerMillion = 0.99 * costOfCold({ minimize: 'cost' }).dollars * 1e6;
    expect(() => costOfCold({ minimize: 'latency', maxCostPerMillion })).toThrow(
      /^a million runs must cost at most \$.*, got \$.* for the cheapest plan, .*the whole model.*: allow a higher cost$/,
    );
  });

  test('is refused with ALWAYS if that takes longer than the limit', () => {
    const maxLatencyMs = 0.99 * costOfCold({ minimize: 'latency' }).latency.p95;
    expect(() => costOfCold({ minimize: 'cost', maxLatencyMs })).toThrow(
      /^a run must have a p95 latency of at most .* ms, got .* ms for the fastest plan, .*: allow more time/,
    );
  });
});
