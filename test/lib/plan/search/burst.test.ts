/** The search knows the burst of a sandbox's network: 300 MiB, of which a half refills, and then 75 MiB/s. */
import { analyzeModel } from '../../../../lib/compile/analyze';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/defaults';
import type { CostOptions } from '../../../../lib/cost/options';
import { bestCut } from '../../../../lib/plan/best-cut';
import { type AutomaticOptions, automatic } from '../../../../lib/plan/slicers';
import { sliceSizes } from '../../../../lib/plan/sizes/slice-sizes';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { sparseModel } from '../../../support/sparse-model';

analyzeFast();

const MIB = 2 ** 20;
const { network, handler } = DEFAULT_ENVIRONMENT;

/** As many bytes as BERT-large: 78 matrices of 16 MiB, 1.3 GB. */
const transformer = sparseModel(78, 2048);

/** So fast a processor that only the network limits a load. */
const FAST: Environment = {
  ...DEFAULT_ENVIRONMENT,
  network: { ...network, cpu: 0 },
  handler: { ...handler, checksum: 0, sessionCpu: 0, firstRun: 0 },
};
/** Bytes of weights by slice. */
function weightsOf(file: string, goal: AutomaticOptions, costs: CostOptions): number[] {
  const { cuts, dataflow } = analyzeModel(file, { costs });
  const cut = bestCut(dataflow, cuts, automatic(goal));
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  return sizes.map(({ weightBytes }) => weightBytes);
}

const COLD = { minimize: 'latency', temperature: 'cold' } as const;

describe('the plan with the fastest cold run of a transformer of 1.3 GB', () => {
  it('has slices that load within the burst', () => {
    const weights = weightsOf(transformer, COLD, {});

    expect(weights.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(1.3e9);
    expect(Math.max(...weights)).toBeLessThanOrEqual(256 * MIB);
  });

  it('exceeds the burst only where one node does', () => {
    // Two matrices of 484 MiB.
    const weights = weightsOf(sparseModel(2, 11_264), COLD, { environment: FAST });

    expect(weights.map((bytes) => bytes / MIB)).toEqual([484, 484]);
  });
});
