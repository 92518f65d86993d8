/** Creates the plan file of a run, and the way in which the library gets it. */
import { planDigest } from '../../../lib/emit/seal-plan';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import type { FuzzCase } from '../fuzz-case';
import { jsonBomb } from '../json/json-bombs';
import { mutateJson } from '../json/mutate-json';
import type { Json } from '../json/odd-values';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import type { Random } from '../random';
import { BASE_PLANS, basePlanText } from './base-plans';

/** The ways in which the library gets a plan. */
const WAYS = ['fromDirectory', 'fromBucket', 'fromPlan'] as const;

/** What a target does with the plan of a case. */
export interface PlanChoice {
  /** Name of the base plan. */
  readonly base: string;
  readonly way: (typeof WAYS)[number];
}

export function planChoice(choice: number): PlanChoice {
  return {
    base: BASE_PLANS[choice % BASE_PLANS.length].name,
    way: WAYS[Math.floor(choice / BASE_PLANS.length)],
  };
}

/** Limit of mutations of one plan. */
const MOST_MUTATIONS = 3;

const MOST_BOMB = 2_000_000;

/** More nodes than a model has, so that a plan with many may be valid. */
const MANY_NODES = 300_000;

export function planCase(random: Random): FuzzCase {
  const choice = random.below(BASE_PLANS.length * WAYS.length);
  const { base, way } = planChoice(choice);
  const { content, steps } = mutated(random, basePlanText(BASE_PLANS[choice % BASE_PLANS.length]));
  return { title: `${base} ${way}: ${steps.join(', ')}`, content, choice };
}

function mutated(random: Random, text: string): { content: string | Uint8Array; steps: string[] } {
  const plan = JSON.parse(text) as { [key: string]: Json; model: { [key: string]: Json } };
  if (random.chance(0.03)) {
    plan.model.nodes = MANY_NODES;
    const bomb = jsonBomb(random, plan, MOST_BOMB);
    return { content: bomb.text, steps: [bomb.step] };
  }
  if (random.chance(0.1)) {
    const step = random.pick(Object.keys(BYTE_MUTATIONS));
    const other = Buffer.from(basePlanText(random.pick(BASE_PLANS)));
    return { content: BYTE_MUTATIONS[step](random, Buffer.from(text), other), steps: [step] };
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
