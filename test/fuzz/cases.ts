/** Makes the case of a run: a model's file, what lies beside it, and how it is to be sliced. */
import { baseModels } from './base-models';
import type { BaseModel } from './base-models';
import { BOMBS } from './bombs';
import { BYTE_MUTATIONS } from './mutate-bytes';
import { mutateExternal } from './mutate-external';
import { MEANING_MUTATIONS } from './mutate-meaning';
import { STRUCTURE_MUTATIONS } from './mutate-structure';
import { Random } from './random';
import { decode, encode } from './wire-tree';
import type { WireField } from './wire-tree';

export interface FuzzCase {
  /** What was done to which model. */
  readonly title: string;
  readonly model: Uint8Array;
  /** The number of slices to ask for; 0 leaves it to the library. */
  readonly slices: number;
}

/** Most mutations of one model: with more, hardly any model gets past the first check. */
const MOST_MUTATIONS = 4;

export class CaseMaker {
  private readonly bases = baseModels();

  constructor(private readonly seed: number) {}

  /** The case depends on the seed and the run alone. */
  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const { title, model } = this.mutated(random);
    return { title, model, slices: random.below(4) };
  }

  private mutated(random: Random): { title: string; model: Uint8Array } {
    if (random.chance(0.06)) {
      const title = random.pick(Object.keys(BOMBS));
      return { title, model: BOMBS[title](random) };
    }
    const [base, other] = [random.pick(this.bases), random.pick(this.bases)];
    const steps: string[] = [];
    let model = base.bytes;
    const inBytes = random.chance(0.25);
    if (!inBytes || random.chance(0.3)) model = mutateStructure(random, base, other, steps);
    if (inBytes) {
      for (let left = random.magnitude(MOST_MUTATIONS); left > 0; left--) {
        const step = random.pick(Object.keys(BYTE_MUTATIONS));
        model = BYTE_MUTATIONS[step](random, model, other.bytes);
        steps.push(step);
      }
    }
    return { title: `${base.name}: ${steps.join(', ')}`, model };
  }
}

function mutateStructure(random: Random, base: BaseModel, other: BaseModel, steps: string[]): Uint8Array {
  const tree: WireField[] = decode(base.bytes, 'Model');
  const donor = decode(other.bytes, 'Model');
  for (let left = random.magnitude(MOST_MUTATIONS); left > 0; left--) {
    if (random.chance(0.08)) {
      mutateExternal(random, tree);
      steps.push('external data');
      continue;
    }
    // Most files that are not well-formed are refused at once: as many that are get further.
    const mutations = random.chance(0.6) ? MEANING_MUTATIONS : STRUCTURE_MUTATIONS;
    const step = random.pick(Object.keys(mutations));
    // A model may have lost all of its fields on the way.
    if (tree.length > 0) mutations[step](random, tree, donor);
    steps.push(step);
  }
  return encode(tree);
}
