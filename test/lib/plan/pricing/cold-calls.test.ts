/** How long cold calls take, and the timeouts of functions, worked out by hand. */
import { analyzeModel } from '../../../../lib/compile/analyze';
import { compile } from '../../../../lib/compile/compile';
import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/defaults';
import { coldCalls } from '../../../../lib/plan/pricing/cold-calls';
import type { SliceSize } from '../../../../lib/plan/sizes/estimate';
import { count } from '../../../../lib/plan/slicers';
import { HEAVY_DIMENSIONS, HEAVY_PRODUCT, MOST_PER_SECOND, heavyModel } from '../../../support/heavy-model';
import { mlp, saveModel } from '../../../support/model-builder';

const free = Object.fromEntries(Object.keys(DEFAULT_ENVIRONMENT.handler).map((name) => [name, 0]));

/** Only computing, starts and requests to S3 take time. */
const environment = {
  ...DEFAULT_ENVIRONMENT,
  handler: { ...(free as typeof DEFAULT_ENVIRONMENT.handler), connections: 1, partMb: 1 },
  s3: {
    ...DEFAULT_ENVIRONMENT.s3,
    ...{ standardGet: [[50, 20]] as const, standardFirstGetMs: 68 },
    ...{ standardPut: [[50, 40] as const, [99.9, 205] as const], standardFirstPutMs: 40 },
  },
};
const { cuts } = analyzeModel(saveModel(mlp(1)), { costs: { environment }, dimensions: { batch: 1 } });

const nothing: SliceSize = {
  ...{ weightBytes: 0, mappedBytes: 0, packedBytes: 0, bodyBytes: 0, activationBytes: 0, largestBytes: 0 },
  ...{ readBytes: 0, writeBytes: 0, copiedBytes: 0, computedBytes: 0, nodes: 0 },
  ...{ coreSeconds: 10, gets: 1, requestGets: 0, outputBytes: 0, requestBytes: 0 },
};

test('a cold call starts, loads, reads, computes and writes, and does so most slowly by the constants that are believed', () => {
  const settings = { memoryMb: [1769, 1769], threads: 1, transport: 's3-standard' } as const;
  const [first, second] = coldCalls(cuts.costs, [nothing, nothing], settings);
  // A start of 200 + 137 + 150 ms, and computing. Opening a connection takes 48 ms more than the 20 of a GET. A first slice reads while it loads.
  const planned = 487 + 10_000 + 48 + 20 + 40;
  // Placing a sandbox and loading ONNX Runtime may take twice as long, computing 1.25 times. A PUT in 1,000 takes longer than 205 ms.
  const slowest = 837 + 12_500 + 48 + 20 + 205;
  expect(first.planned).toBe(planned / 1000);
  expect(first.slowest).toBeCloseTo(slowest / 1000, 2);
  // It waits for the files, and then for its tensors.
  expect(second.planned).toBeCloseTo((planned + 48 + 20) / 1000, 2);
  expect(second.slowest).toBeCloseTo((slowest + 48 + 20) / 1000, 2);
});

test.each([
  ['of a small model', () => saveModel(mlp(8)), { batch: 1 }, 60],
  // 100 products in each slice compute for longer than the 61 s that loading alone would get.
  [
    'of a model that computes for long',
    () => heavyModel(400),
    HEAVY_DIMENSIONS,
    (100 * HEAVY_PRODUCT) / MOST_PER_SECOND,
  ],
])('the timeouts %s are above its slowest calls', (_, model, dimensions, least) => {
  const { plan } = compile(model(), count(4), { dimensions });
  expect(plan.slices).toHaveLength(4);
  for (const { timeoutSeconds, coldSeconds } of plan.slices) {
    expect(timeoutSeconds).toBeGreaterThan(coldSeconds?.slowest ?? NaN);
    expect(timeoutSeconds).toBeGreaterThan(least);
    expect(coldSeconds?.planned).toBeLessThan(coldSeconds?.slowest ?? NaN);
  }
});
