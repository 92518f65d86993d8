/** Creates the model of a run and the number of slices to cut it into. */
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
  /** What was mutated, and the mutations that were applied to it. */
  readonly title: string;
  /** Content of the file that the target reads. */
  readonly content: Uint8Array;
  /** A number for the target. Of a model: the number of slices to request, 0 if the library chooses. */
  readonly choice: number;
}

/** Makes the cases of one seed. */
export interface CaseSource {
  /** Returns the case of a run, which depends only on the seed and the run. */
  make(run: number): FuzzCase;
}

/** Limit of mutations of one model: with more, hardly any model passes the first check. */
const MOST_MUTATIONS = 4;

export class CaseMaker implements CaseSource {
  private readonly bases = baseModels();

  constructor(private readonly seed: number) {}

  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const { title, model } = this.mutated(random);
    return { title, content: model, choice: random.below(4) };
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
    // The compiler refuses most malformed files at once. Well-formed ones get further, so create more of them.
    const mutations = random.chance(0.6) ? MEANING_MUTATIONS : STRUCTURE_MUTATIONS;
    const step = random.pick(Object.keys(mutations));
    // Earlier mutations may have removed all fields.
    if (tree.length > 0) mutations[step](random, tree, donor);
    steps.push(step);
  }
  return encode(tree);
}
