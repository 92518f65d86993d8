/** Slices of float16 models compute the same bits as the whole model, because the casts that ONNX Runtime inserts stay. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import type { OptimizationLevel } from '../../../lib/optimize/level';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { saveModel } from '../../support/model-builder';
import { randomFloat16Model } from '../../support/random-float16-graph';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';

analyzeFast();

const RUNS = Number(process.env.FLOAT16_RUNS ?? 15);

const x = {
  dtype: 'float32',
  shape: [1, 8],
  bytes: new Uint8Array(Float32Array.of(0.1, -2.3, 3.3, 1e-4, -0.7, 11.1, 0.9999, -1e-3).buffer),
} as const;

test.each<OptimizationLevel>(['none', 'basic', 'extended'])(
  'slices of random float16 graphs compute the bits of the whole model at %s',
  async (optimization) => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(randomFloat16Model, async (model) => {
        const file = saveModel(model);
        const analyzed = analyzeModel(file, { optimization });
        const most = mostSlices(analyzed.cuts);
        cuts += most - 1;
        const whole = await runWhole(file, new Map([['x', x]]), optimization);
        for (const slices of new Set([1, 2, most])) {
          if (slices > most) continue;
          const chained = await runSlices(compileAnalyzed(analyzed, count(slices)), new Map([['x', x]]));
          expectSameBits(chained, whole);
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(cuts).toBeGreaterThan(0);
  },
);
