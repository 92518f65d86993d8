/** A cached plan is reused only for the same estimates. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { AnalyzeOptions } from '../../../lib/compile/analyze';
import { stageModel } from '../../../lib/compile/stage';
import { DEFAULT_PRICES } from '../../../lib/cost/constants/defaults';
import { count } from '../../../lib/plan/slicers';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { float32 } from '../../support/tensors';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';

analyzeFast();

const dimensions = { batch: 1 };
const file = saveModel(mlp(3));

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env.SLICED_INFERENCE_CACHE = cache;
});

const entries = (): string[] => fs.readdirSync(path.join(cache, 'plans'));

function stage(options: AnalyzeOptions): number {
  stageModel(file, count(2), { dimensions, ...options });
  return entries().length;
}

it('a cached plan is reused for estimates that are the defaults', () => {
  stage({});
  expect(stage({ costs: {} })).toBe(1);
  expect(stage({ costs: { stateMachineType: 'express', prices: DEFAULT_PRICES, warmUp: true } })).toBe(1);
});

const lambda = { ...DEFAULT_PRICES.lambda, requests: 1 };
it.each<[string, AnalyzeOptions]>([
  ['another kind of state machine', { costs: { stateMachineType: 'standard' } }],
  ['another rate', { costs: { requestsPerHour: 1 } }],
  ['other prices', { costs: { prices: { ...DEFAULT_PRICES, lambda } } }],
  ['S3 Express', { transport: 's3-express' }],
])('a cached plan is not reused for %s', (_, options) => {
  stage({});
  expect(stage(options)).toBe(2);
  expect(stage(options)).toBe(2);
});

it('a cached plan is not reused for other inputs, and is for the same ones', () => {
  const folder = temporaryFolder();
  const inputs = path.join(folder, 'inputs.safetensors');
  const write = (rows: number): void => {
    const x = float32([rows, 16], new Array<number>(16 * rows).fill(1));
    fs.writeFileSync(inputs, encodeSafetensors(new Map([['x', x]])));
  };
  write(1);
  stage({ inputs });
  expect(stage({ inputs })).toBe(1);
  write(2);
  expect(stage({ inputs })).toBe(2);
});
