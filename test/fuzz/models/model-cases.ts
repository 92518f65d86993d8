/** Creates the model of a run and the number of slices to cut it into. */
import { type FuzzCase, mutateBy } from '../fuzz-case';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import type { Random } from '../random';
import { BASE_MODELS } from './base-models';
import { BOMBS } from './bombs';
import { MEANING_MUTATIONS, STRUCTURE_MUTATIONS } from './mutate-model';
import { decode, encode } from './wire-tree';

/** Limit of mutations of one model: with more, hardly any model passes the first check. */
const MOST_MUTATIONS = 4;

export function modelCase(random: Random): FuzzCase {
  return { ...mutated(random), choice: random.below(4) };
}

function mutated(random: Random): Pick<FuzzCase, 'title' | 'content'> {
  if (random.chance(0.06)) {
    const title = random.pick(Object.keys(BOMBS));
    return { title, content: BOMBS[title](random) };
  }
  const [name, base] = random.pick(BASE_MODELS);
  const [, other] = random.pick(BASE_MODELS);
  const steps: string[] = [];
  let content = base;
  const inBytes = random.chance(0.25);
  if (!inBytes || random.chance(0.3)) content = mutateFields(random, base, other, steps);
  if (inBytes) {
    const applied = mutateBy(random, BYTE_MUTATIONS, MOST_MUTATIONS, (mutate) => {
      content = mutate(random, content, other);
    });
    steps.push(...applied);
  }
  return { title: `${name}: ${steps.join(', ')}`, content };
}

function mutateFields(random: Random, base: Uint8Array, other: Uint8Array, steps: string[]): Uint8Array {
  const [tree, donor] = [decode(base), decode(other)];
  for (let left = random.magnitude(MOST_MUTATIONS); left > 0; left--) {
    // The compiler refuses most malformed files at once. Well-formed ones get further, so create more of them.
    const mutations = random.chance(0.6) ? MEANING_MUTATIONS : STRUCTURE_MUTATIONS;
    const step = random.pick(Object.keys(mutations));
    // Earlier mutations may have removed all fields.
    if (tree.length > 0) mutations[step](random, tree, donor);
    steps.push(step);
  }
  return encode(tree);
}
