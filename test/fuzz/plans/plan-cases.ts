/** Creates the plan file of a run, and the way in which the library gets it. */
import { planDigest } from '../../../lib/emit/seal-plan';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import type { CaseSource, FuzzCase } from '../cases';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import type { Json } from '../mutate-json';
import { mutateJson } from '../mutate-json';
import { Random } from '../random';
import { BASE_PLANS, basePlanTexts } from './base-plans';

/** The ways in which the library gets a plan. */
export const WAYS = ['fromDirectory', 'fromBucket', 'fromPlan'] as const;

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

/** Plans that are expensive to read. */
const BOMBS: Readonly<Record<string, (random: Random, plan: string) => string>> = {
  'deep nesting': (random) => '['.repeat(random.magnitude(200_000)),
  'deep nesting in a field': (random, plan) => {
    const depth = random.magnitude(200_000);
    return plan.replace('"dimensions": {', `"dimensions": {"n": ${'['.repeat(depth)}${']'.repeat(depth)},`);
  },
  'many slices': (random, plan) => {
    const parsed = JSON.parse(plan) as { slices: Json[]; model: { nodes: number } };
    parsed.model.nodes = 300_000;
    const [first] = parsed.slices;
    return JSON.stringify({ ...parsed, slices: Array<Json>(random.magnitude(2000)).fill(first) });
  },
  'many nodes': (random, plan) => {
    const parsed = JSON.parse(plan) as { slices: { nodes: Json }[]; model: { nodes: number } };
    parsed.model.nodes = 300_000;
    parsed.slices[0].nodes = Array<Json>(random.magnitude(100_000)).fill([0, 299_999]);
    return JSON.stringify(parsed);
  },
  'many dimensions': (random, plan) => {
    const parsed = JSON.parse(plan) as { dimensions: Json };
    parsed.dimensions = Object.fromEntries(
      Array.from({ length: random.magnitude(50_000) }, (_, index) => [`d${index}`, 1]),
    );
    return JSON.stringify(parsed);
  },
  'a long text': (random, plan) => plan.replace('model.onnx', 'm'.repeat(random.magnitude(2_000_000))),
};

export class PlanCaseMaker implements CaseSource {
  private readonly texts = basePlanTexts();

  constructor(private readonly seed: number) {}

  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const choice = random.below(BASE_PLANS.length * WAYS.length);
    const { base, way } = planChoice(choice);
    const { text, steps } = this.mutated(random, choice % BASE_PLANS.length);
    return { title: `${base} ${way}: ${steps.join(', ')}`, content: Buffer.from(text), choice };
  }

  private mutated(random: Random, base: number): { text: string | Uint8Array; steps: string[] } {
    const text = this.texts[base];
    if (random.chance(0.03)) {
      const bomb = random.pick(Object.keys(BOMBS));
      return { text: BOMBS[bomb](random, text), steps: [bomb] };
    }
    if (random.chance(0.1)) {
      const step = random.pick(Object.keys(BYTE_MUTATIONS));
      const other = Buffer.from(random.pick(this.texts));
      return { text: BYTE_MUTATIONS[step](random, Buffer.from(text), other), steps: [step] };
    }
    const plan = JSON.parse(text) as Json;
    const steps = mutateJson(random, plan, MOST_MUTATIONS);
    if (random.chance(0.5) && seal(plan)) steps.push('seal');
    return { text: JSON.stringify(plan), steps };
  }
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
