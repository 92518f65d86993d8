/** Builds small files that are expensive to read: models that repeat, nest or multiply one part. */
import { GRAPH, VALUE_INFO } from '../../../lib/onnx/fields';
import {
  callOf,
  encodeModel,
  FLOAT,
  floats,
  functionsOf,
  type ModelInit,
  node,
  type NodeInit,
  type TensorInit,
  value,
} from '../../support/model-builder';
import type { Random } from '../random';
import { BASE_MODELS } from './base-models';
import { copy, decode, encode, field, messages, nestedNode, places, type WireField } from './wire-tree';

/** Limit of a bomb's file, in bytes. The memory of a reader must stay in proportion to the file. */
const MOST_BYTES = 3_000_000;

interface Parts {
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly weights?: readonly TensorInit[];
}

type Bomb = (random: Random) => Uint8Array;

export const BOMBS: Readonly<Record<string, Bomb>> = {
  'repeated fields': repeatedFields,
  'a long chain': (random) => {
    const count = random.magnitude(20_000);
    return model(chain('Abs', count), { inputs: ['v0'], outputs: [`v${count}`] });
  },
  'a dense graph': (random) => {
    const [count, width] = [random.magnitude(2000), random.magnitude(100)];
    const before = (i: number): string[] => list(Math.min(width, i + 1), () => `v${random.below(i + 1)}`);
    const nodes = list(count, (i) => node('Sum', before(i), [`v${i + 1}`]));
    return model(nodes, { inputs: ['v0'], outputs: [`v${count}`] });
  },
  'many outputs of a node': (random) => {
    const outputs = list(random.magnitude(100_000), (i) => `v${i}`);
    return model([node('Split', ['x'], outputs)], { outputs: ['v0'] });
  },
  'many inputs of a node': (random) => {
    const inputs = list(random.magnitude(100_000), () => 'x');
    return model([node('Sum', inputs, ['y'])]);
  },
  'a chain of constants': (random) => {
    const count = random.magnitude(20_000);
    return encodeModel(sumOf(count, [floats('v0', [4])], chain('Abs', count)));
  },
  'unused casts': (random) => {
    const to = [{ name: 'to', i: FLOAT, type: 2 }];
    const casts = list(random.magnitude(30_000), (i) => node('Cast', ['y'], [`v${i}`], to));
    return model([node('Cast', ['x'], ['y'], to), ...casts]);
  },
  'nested graphs': (random) => {
    const bodies = random.pick([1, 1, 2]);
    const nodes = list(random.magnitude(50), (i) => node('Add', [`v${i}`, 'x'], [`n${i}`]));
    return nested([], nodes, random.magnitude(bodies === 1 ? 3000 : 12), bodies);
  },
  'captures at every depth': (random) => {
    const count = random.magnitude(5000);
    const values = list(count, (i) => node('Abs', ['x'], [`v${i}`]));
    return nested(values, chain('Neg', count, 'n'), random.magnitude(64), 1);
  },
  'nested types': (random) => {
    const sequence = random.pick([4, 9]);
    let type: Uint8Array = new Uint8Array();
    for (let depth = random.magnitude(10_000); depth > 0; depth--)
      type = encode([field(sequence, [field(1, type)])]);
    const tree = decode(model([node('Identity', ['x'], ['y'])], { inputs: [] }));
    const input = field(GRAPH.input, [field(VALUE_INFO.name, 'x'), field(VALUE_INFO.type, type)]);
    messages(tree, 'GraphProto')[0].push(input);
    return encode(tree);
  },
  'many functions': functions(20_000, () => []),
  'a chain of functions': functions(10_000, (i, count) => (i + 1 < count ? [i + 1] : [])),
  'functions in a circle': functions(1000, (i, count) => [(i + 1) % count]),
  'functions of functions': functions(60, (i, count) => (i + 1 < count ? [i + 1, i + 1, i + 1] : [])),
  'functions that all call one': functions(10_000, (i, count) => (i === count - 1 ? [] : [count - 1])),
  'calls of many functions': functions(300, (i, count) =>
    list(Math.min(30, count - i - 1), (j) => i + j + 1),
  ),
  'weights that share their bytes': (random) => {
    const count = random.magnitude(5000);
    const external = { dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] };
    const weights = list(count, (i) => ({ name: `v${i}`, dataType: FLOAT, dims: [2048], ...external }));
    return encodeModel(sumOf(count, weights));
  },
  'weights that are inputs too': (random) => {
    const count = random.magnitude(20_000);
    const weights = list(count, (i) => floats(`v${i}`, [4]));
    const { graph } = sumOf(count, weights);
    const inputs = weights.map(({ name }) => value(name, FLOAT, [4]));
    return encodeModel({ graph: { ...graph, input: [...(graph.input ?? []), ...inputs] } });
  },
  'long names': (random) => {
    const long = 'n'.repeat(random.magnitude(200_000));
    const most = Math.max(1, Math.floor(MOST_BYTES / long.length / 3));
    const count = Math.min(random.magnitude(most), 10_000);
    return model(chain('Abs', count, long), { inputs: [`${long}0`], outputs: [`${long}${count}`] });
  },
};

function init(nodes: readonly NodeInit[], parts: Parts = {}): ModelInit {
  const { inputs = ['x'], outputs = ['y'], weights = [] } = parts;
  return {
    graph: {
      node: nodes,
      initializer: weights,
      input: inputs.map((name) => value(name, FLOAT, [4])),
      output: outputs.map((name) => value(name, FLOAT)),
    },
  };
}

function model(nodes: readonly NodeInit[], parts?: Parts): Uint8Array {
  return encodeModel(init(nodes, parts));
}

function list<T>(length: number, item: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => item(index));
}

/** From `v0` to `v<count>`. */
function chain(operator: string, count: number, name = 'v'): NodeInit[] {
  return list(count, (i) => node(operator, [`${name}${i}`], [`${name}${i + 1}`]));
}

/** Adds `v0` to `v<count - 1>` to the input `u0`, after the nodes `before`. */
function sumOf(count: number, weights: readonly TensorInit[], before: readonly NodeInit[] = []): ModelInit {
  const adds = list(count, (i) => node('Add', [`u${i}`, `v${i}`], [`u${i + 1}`]));
  return init([...before, ...adds], { inputs: ['u0'], outputs: [`u${count}`], weights });
}

/** A model with the nodes `inner` in body graphs. */
function nested(outer: NodeInit[], inner: NodeInit[], depth: number, bodies: number): Uint8Array {
  const innermost = messages(decode(model(inner, { inputs: [], outputs: [] })), 'GraphProto')[0];
  const tree = decode(model(outer));
  messages(tree, 'GraphProto')[0].push(nestedNode(encode(innermost), depth, bodies));
  return encode(tree);
}

/** A call of the first of `F0` to `F<count - 1>`; each is a chain of calls of other functions and one operator. */
function functions(most: number, calls: (index: number, count: number) => readonly number[]): Bomb {
  return (random) => {
    const count = random.magnitude(most);
    const nodesOf = (index: number): NodeInit[] => {
      const called = calls(index, count).map((callee, at) =>
        callOf(`F${callee}`, [`t${at}`], [`t${at + 1}`]),
      );
      return [node('Abs', ['a'], ['t0']), ...called, node('Neg', [`t${called.length}`], ['b'])];
    };
    const all = Object.fromEntries(list(count, (index) => [`F${index}`, nodesOf(index)] as const));
    return encodeModel({ ...init([callOf('F0', ['x'], ['y'])]), ...functionsOf(all) });
  };
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
