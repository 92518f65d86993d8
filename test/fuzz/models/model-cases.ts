/** Creates the model of a run and the number of slices to cut it into. */
import type { FuzzCase } from '../case';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import type { Random } from '../random';
import { BASE_MODELS } from './base-models';
import { BOMBS } from './bombs';
import { MEANING_MUTATIONS, STRUCTURE_MUTATIONS } from './mutate-model';
import { decode, encode } from './wire-tree';

export { putBesideModel } from './external-data';

/** Limit of mutations of one model: with more, hardly any model passes the first check. */
const MOST_MUTATIONS = 4;

/** The setting is the number of slices to request, 0 if the library chooses. */
export function modelCase(random: Random): FuzzCase {
  return { ...mutated(random), settings: random.below(4) };
}

function mutated(random: Random): FuzzCase {
  if (random.chance(0.06)) {
    const title = random.pick(Object.keys(BOMBS));
    return { title, content: BOMBS[title](random) };
  }
  const [name, base] = random.pick(BASE_MODELS);
  const [, other] = random.pick(BASE_MODELS);
  const steps: string[] = [];
  let content = base;
  if (random.chance(0.8)) {
    const [tree, donor] = [decode(base), decode(other)];
    // The compiler refuses most malformed files at once. Well-formed ones get further, so create more of them.
    const mutations = random.chance(0.6) ? MEANING_MUTATIONS : STRUCTURE_MUTATIONS;
    const applied = random.applySome(mutations, MOST_MUTATIONS, (mutate) => {
      // Earlier mutations may have removed all fields.
      if (tree.length > 0) mutate(random, tree, donor);
    });
    steps.push(...applied);
    content = encode(tree);
  }
  if (steps.length === 0 || random.chance(0.1)) {
    const applied = random.applySome(BYTE_MUTATIONS, MOST_MUTATIONS, (mutate) => {
      content = mutate(random, content, other);
    });
    steps.push(...applied);
  }
  return { title: `${name}: ${steps.join(', ')}`, content };
}
