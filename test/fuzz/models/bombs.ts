/** Builds small files that are expensive to read: models that repeat or nest one part. `test/lib/onnx/hostile.test.ts` has others. */
import { GRAPH, VALUE_INFO } from '../../../lib/onnx/fields';
import { encodeModel, FLOAT, type ModelInit, node, type NodeInit, value } from '../../support/model-builder';
import type { Random } from '../random';
import { BASE_MODELS } from './base-models';
import { copy, decode, encode, field, messages, places, type WireField } from './wire-tree';

/** Limit of a bomb's file, in bytes. The memory of a reader must stay in proportion to the file. */
const MOST_BYTES = 3_000_000;

type Bomb = (random: Random) => Uint8Array;

export const BOMBS: Readonly<Record<string, Bomb>> = {
  'repeated fields': repeatedFields,
  'a long chain': (random) => {
    const count = random.magnitude(20_000);
    return encodeModel(graphOf(chain('Abs', count), 'v0', `v${count}`));
  },
  'nested types': (random) => {
    const sequence = random.pick([4, 9]);
    let type: Uint8Array = new Uint8Array();
    for (let depth = random.magnitude(10_000); depth > 0; depth--)
      type = encode([field(sequence, [field(1, type)])]);
    const tree = decode(encodeModel(graphOf([node('Identity', ['x'], ['y'])])));
    const input = field(GRAPH.input, [field(VALUE_INFO.name, 'x'), field(VALUE_INFO.type, type)]);
    messages(tree, 'GraphProto')[0].push(input);
    return encode(tree);
  },
  'long names': (random) => {
    const long = 'n'.repeat(random.magnitude(200_000));
    const most = Math.max(1, Math.floor(MOST_BYTES / long.length / 3));
    const count = Math.min(random.magnitude(most), 10_000);
    return encodeModel(graphOf(chain('Abs', count, long), `${long}0`, `${long}${count}`));
  },
};

function graphOf(nodes: readonly NodeInit[], input = 'x', output = 'y'): ModelInit {
  return { graph: { node: nodes, input: [value(input, FLOAT, [4])], output: [value(output, FLOAT)] } };
}

/** From `v0` to `v<count>`. */
function chain(operator: string, count: number, name = 'v'): NodeInit[] {
  return Array.from({ length: count }, (_, i) => node(operator, [`${name}${i}`], [`${name}${i + 1}`]));
}

/** A model that repeats one of its fields, or an empty field, up to the limit of its bytes; half of them with names of their own. */
function repeatedFields(random: Random): Uint8Array {
  const tree = decode(random.pick(BASE_MODELS)[1]);
  const { siblings, index, field: each } = random.pick(places(tree));
  const repeated = random.chance(0.5) ? each : field(random.between(1, 26), []);
  const most = Math.min(300_000, Math.floor(MOST_BYTES / (encode([repeated]).length + 8)));
  const renamed = (number: number): WireField => {
    const copied = copy(repeated);
    const text = places([copied], 'text', '').find((place) => !Array.isArray(place.field.content));
    if (text !== undefined) text.field.content = Buffer.from(`x${number}`);
    return copied;
  };
  const isDistinct = random.chance(0.5);
  const rest = siblings.splice(index + 1);
  for (let count = random.magnitude(most); count > 0; count--)
    siblings.push(isDistinct ? renamed(count) : repeated);
  siblings.push(...rest);
  return encode(tree);
}
