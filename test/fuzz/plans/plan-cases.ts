/** Creates the plan file of a run, and the way in which the library gets it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { compile } from '../../../lib/compile/compile';
import { planDigest } from '../../../lib/emit/seal-plan';
import { writeSlices } from '../../../lib/emit/write';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { count } from '../../../lib/plan/slicers';
import { readingFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import { mlp, type ModelInit, saveModel, temporaryFolder } from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';
import { twoTowers } from '../../support/towers';
import type { FuzzCase } from '../case';
import { jsonBomb } from '../json-bombs';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import { mutateJson } from '../mutate-json';
import type { Json } from '../odd-values';
import type { Random } from '../random';

/** What a target does with the plan of a case. */
export interface PlanSettings {
  /** Name of the base plan and of its folder, which has `model.onnx`, and the plan with its slices in `slices/`. */
  readonly base: string;
  readonly way: 'fromDirectory' | 'fromBucket' | 'fromPlan';
}

const [random] = fc.sample(randomModel, { seed: 3, numRuns: 1 });

/** The valid plans that the mutations start from, by name. */
const BASE_PLANS: Readonly<Record<string, readonly [ModelInit, slices: number, dimensions?: object]>> = {
  chain: [mlp(4), 3, { batch: 1 }],
  'one-slice': [mlp(1), 1],
  branches: [{ graph: twoTowers('n') }, 5],
  random: [random, 2],
};

/** Limits of mutations of one plan, and of the characters of a bomb. */
const [MOST_MUTATIONS, MOST_BOMB] = [3, 2_000_000];

/** More nodes than a model has, so that a plan with many may be valid. */
const MANY_NODES = 300_000;

let made: string | undefined;

export function putBesidePlan(folder: string): void {
  fs.cpSync(baseFolder(), folder, { recursive: true });
}

function basePlanText(name: string): string {
  return fs.readFileSync(path.join(baseFolder(), name, 'slices', 'plan.json'), 'utf8');
}

function baseFolder(): string {
  if (made !== undefined) return made;
  const folder = (made = temporaryFolder());
  readingFreshFilesAtOnce(() => {
    for (const [name, [init, slices, dimensions = {}]] of Object.entries(BASE_PLANS)) {
      const own = path.join(folder, name);
      fs.mkdirSync(own);
      const model = saveModel(init, 'model.onnx', own);
      const options = { dimensions: dimensions as Record<string, number> };
      writeSlices(compile(model, count(slices), options), path.join(own, 'slices'));
    }
  });
  return folder;
}

export function planCase(random: Random): FuzzCase {
  const base = random.pick(Object.keys(BASE_PLANS));
  const settings: PlanSettings = { base, way: random.pick(['fromDirectory', 'fromBucket', 'fromPlan']) };
  const { content, steps } = mutated(random, basePlanText(base));
  return { title: `${base} ${settings.way}: ${steps.join(', ')}`, content, settings };
}

function mutated(random: Random, text: string): { content: string | Uint8Array; steps: string[] } {
  const plan = JSON.parse(text) as { [key: string]: Json; model: { [key: string]: Json } };
  if (random.chance(0.03)) {
    plan.model.nodes = MANY_NODES;
    const bomb = jsonBomb(random, plan, MOST_BOMB);
    return { content: bomb.text, steps: [bomb.step] };
  }
  if (random.chance(0.1)) {
    const other = Buffer.from(basePlanText(random.pick(Object.keys(BASE_PLANS))));
    let content: Uint8Array = Buffer.from(text);
    const steps = random.applySome(BYTE_MUTATIONS, 1, (mutate) => {
      content = mutate(random, content, other);
    });
    return { content, steps };
  }
  const steps = mutateJson(random, plan, MOST_MUTATIONS);
  if (random.chance(0.5) && seal(plan)) steps.push('seal');
  return { content: JSON.stringify(plan), steps };
}

/** Computes the digest of a changed plan, so that the library does not refuse the plan for its digest. */
function seal(plan: Json): boolean {
  try {
    const sealed = plan as unknown as { planDigest: string; slices: SlicePlan['slices'] };
    const digests = sealed.slices.map(({ model, weights }) => ({
      model: model.sha256,
      ...(weights && { weights: weights.sha256 }),
    }));
    sealed.planDigest = planDigest(digests);
    return true;
  } catch {
    // The mutations removed what the digest covers.
    return false;
  }
}
