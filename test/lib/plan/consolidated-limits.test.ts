/** Limits hold for what is printed of pipelines that also have one function with the whole model. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import type { RunCost } from '../../../lib/cost/chain';
import { costOf } from '../../../lib/cost/schedule';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { bestCut } from '../../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../../lib/plan/pricing/price';
import { type AutomaticOptions, automatic } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { sparseModel } from '../../support/sparse-model';

analyzeFast();

describe('a model of 1.3 GB', () => {
  const analyzed = analyzeModel(sparseModel(5));

  function plan(
    options: AutomaticOptions,
    mode: ConsolidationMode,
  ): { readonly cut: ChosenCut; readonly cost: RunCost } {
    const slicer = automatic({ temperature: 'cold', ...options });
    const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, mode);
    const { plan: runs, slices } = plannedRuns(analyzed, cut, slicer.goal);
    return { cut, cost: costOf(runs, slices.model.coldShare, 'cold') };
  }

  const limits: [string, AutomaticOptions, (cost: RunCost) => number, number][] = [
    ['price', { minimize: 'latency', maxCostPerMillion: 500 }, ({ dollars }: RunCost) => dollars * 1e6, 500],
    ['latency', { minimize: 'cost', maxLatencyMs: 5000 }, ({ latency }: RunCost) => latency.p95, 5000],
  ];

  test.each(limits)('keeps the limit of its %s with AUTOMATIC', (_, options, figure, limit) => {
    const { cut, cost } = plan(options, 'automatic');
    expect(figure(cost)).toBeLessThanOrEqual(limit);
    expect(cut.whole).toBeUndefined();
  });

  test('is refused with ALWAYS if that costs more than the limit', () => {
    const { cost } = plan({ minimize: 'cost', slices: 5 }, 'always');
    const dollars = 0.99 * cost.dollars * 1e6;
    expect(() => plan({ minimize: 'latency', slices: 5, maxCostPerMillion: dollars }, 'always')).toThrow(
      /^a million runs must cost at most \$.*, got \$.* for the cheapest plan, .*the whole model.*: allow a higher cost$/,
    );
  });

  test('is refused with ALWAYS if that takes longer than the limit', () => {
    const { cost } = plan({ minimize: 'latency', slices: 5 }, 'always');
    const maxLatencyMs = 0.99 * cost.latency.p95;
    expect(() => plan({ minimize: 'cost', slices: 5, maxLatencyMs }, 'always')).toThrow(
      /^a run must have a p95 latency of at most .* ms, got .* ms for the fastest plan, .*: allow more time/,
    );
  });

  test('has the whole model beside its slices without limits', () => {
    expect(plan({ slices: 5 }, 'automatic').cut.whole).toBeDefined();
  });
});
