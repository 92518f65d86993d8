/** Valid plans with their slices, which the mutations of plans start from. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { compile } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { count } from '../../../lib/plan/slicers';
import { timeAhead } from '../../support/inference/file-age';
import { FLOAT, mlp, type ModelInit, saveModel, value } from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';
import { twoTowers, WIDTH } from '../../support/towers';

interface BasePlan {
  /** Name of its folder. It contains `model.onnx`, and the plan with its slices in `slices/`. */
  readonly name: string;
  readonly init: ModelInit;
  readonly slices: number;
  readonly dimensions?: Readonly<Record<string, number>>;
}

const [random] = fc.sample(randomModel, { seed: 3, numRuns: 1 });
const towers = ['text', 'image'].map((name) => value(name, FLOAT, ['n', WIDTH]));

export const BASE_PLANS: readonly BasePlan[] = [
  { name: 'chain', init: mlp(4), slices: 3, dimensions: { batch: 1 } },
  { name: 'one-slice', init: mlp(1), slices: 1 },
  { name: 'branches', init: { graph: { ...twoTowers(), input: towers } }, slices: 5 },
  { name: 'random', init: random, slices: 2 },
];

/** Folder of all base plans, made once per process. */
let made: string | undefined;

/** Writes a folder for each base plan. */
export function putBesidePlan(folder: string): void {
  fs.cpSync(baseFolder(), folder, { recursive: true });
}

export function basePlanText({ name }: BasePlan): string {
  return fs.readFileSync(path.join(baseFolder(), name, 'slices', 'plan.json'), 'utf8');
}

function baseFolder(): string {
  if (made !== undefined) return made;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-plans-'));
  process.on('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const now = Date.now;
  Date.now = timeAhead;
  try {
    for (const { name, init, slices, dimensions = {} } of BASE_PLANS) {
      const own = path.join(folder, name);
      fs.mkdirSync(own);
      const model = saveModel(init, 'model.onnx', own);
      writeSlices(compile(model, count(slices), { dimensions }), path.join(own, 'slices'));
    }
  } finally {
    Date.now = now;
  }
  return (made = folder);
}
