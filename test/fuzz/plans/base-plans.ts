/** Valid plans with their slices, which the mutations of plans start from. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { compile } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { count } from '../../../lib/plan/slicing';
import type { ModelInit } from '../../support/model-builder';
import { FLOAT, encodeModel, mlp, node, value } from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';
import { timeAhead } from '../../support/inference/file-age';

const PLAN_FILE = 'plan.json';

interface BasePlan {
  /** Name of its folder. It contains `model.onnx`, and the plan with its slices in `slices/`. */
  readonly name: string;
  readonly init: ModelInit;
  readonly slices: number;
  readonly dimensions: Readonly<Record<string, number>>;
}

const [random] = fc.sample(randomModel, { seed: 3, numRuns: 1 });

export const BASE_PLANS: readonly BasePlan[] = [
  { name: 'chain', init: mlp(4), slices: 3, dimensions: { batch: 1 } },
  { name: 'one-slice', init: mlp(1), slices: 1, dimensions: {} },
  { name: 'branches', init: { graph: branches() }, slices: 4, dimensions: {} },
  { name: 'random', init: random, slices: 2, dimensions: {} },
];

/** Folder of all base plans, made once per process. */
let made: string | undefined;

/** Writes a folder for each base plan. */
export function putBesidePlan(folder: string): void {
  fs.cpSync(baseFolder(), folder, { recursive: true });
}

export function basePlanTexts(): string[] {
  return BASE_PLANS.map(({ name }) =>
    fs.readFileSync(path.join(baseFolder(), name, 'slices', PLAN_FILE), 'utf8'),
  );
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
    for (const { name, init, slices, dimensions } of BASE_PLANS) {
      const own = path.join(folder, name);
      fs.mkdirSync(own);
      fs.writeFileSync(path.join(own, 'model.onnx'), encodeModel(init));
      writeSlices(
        compile(path.join(own, 'model.onnx'), count(slices), { dimensions }),
        path.join(own, 'slices'),
      );
    }
  } finally {
    Date.now = now;
  }
  made = folder;
  return folder;
}

/** Two branches of two nodes, and a node that joins them. */
function branches(): ModelInit['graph'] {
  return {
    node: [
      node('Tanh', ['x'], ['a']),
      node('Abs', ['a'], ['b']),
      node('Sigmoid', ['a'], ['c']),
      node('Neg', ['c'], ['d']),
      node('Add', ['b', 'd'], ['y']),
    ],
    input: [value('x', FLOAT, ['n', 4])],
    output: [value('y', FLOAT)],
  };
}
