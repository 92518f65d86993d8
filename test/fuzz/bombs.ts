/** Small causes with large effects: models that repeat, nest, or multiply one thing. */
import type { Random } from './random';
import type { WireField } from './wire-tree';
import { encode, field, integer } from './wire-tree';

/** Most bytes of a bomb's file: what a reader keeps must stay in proportion to it. */
const MOST_BYTES = 3_000_000;
const MOST_COUNT = 300_000;
const MOST_DEPTH = 20_000;

export type Bomb = (random: Random) => Uint8Array;

export const BOMBS: Readonly<Record<string, Bomb>> = {
  'repeated fields': repeatedFields,
  'a long chain': (random) => {
    const count = random.magnitude(20_000);
    return model([
      ...Array.from({ length: count }, (_, i) => node('Abs', [name(i)], [name(i + 1)])),
      input(name(0)),
      output(name(count)),
    ]);
  },
  'a dense graph': (random) => {
    const count = random.magnitude(2000);
    const width = random.magnitude(100);
    const nodes = Array.from({ length: count }, (_, i) =>
      node(
        'Sum',
        Array.from({ length: Math.min(width, i + 1) }, () => name(random.below(i + 1))),
        [name(i + 1)],
      ),
    );
    return model([...nodes, input(name(0)), output(name(count))]);
  },
  'a wide node': (random) => {
    const count = random.magnitude(100_000);
    const names = Array.from({ length: count }, (_, i) => name(i));
    const wide = random.chance(0.5);
    return model([
      wide
        ? node('Split', ['x'], names)
        : node(
            'Sum',
            names.map(() => 'x'),
            ['y'],
          ),
      input('x'),
      output(wide ? name(0) : 'y'),
    ]);
  },
  'a chain of constants': (random) => {
    const count = random.magnitude(20_000);
    const constants = Array.from({ length: count }, (_, i) => node('Abs', [name(i)], [name(i + 1)]));
    const users = Array.from({ length: count }, (_, i) => node('Add', [`u${i}`, name(i)], [`u${i + 1}`]));
    return model([...constants, ...users, weight(name(0)), input('u0'), output(`u${count}`)]);
  },
  'unused casts': (random) => {
    const count = random.magnitude(30_000);
    const to = field(5, [field(1, 'to'), integer(3, 1), integer(20, 2)]);
    const casts = Array.from({ length: count }, (_, i) => node('Cast', ['y'], [name(i)], [to]));
    return model([node('Cast', ['x'], ['y'], [to]), ...casts, input('x'), output('y')]);
  },
  'nested graphs': (random) => {
    const bodies = random.pick([1, 1, 2]);
    const nodes: WireField[] = Array.from({ length: random.magnitude(50) }, (_, i) =>
      node('Add', [name(i), 'x'], [`n${i}`]),
    );
    return model([
      ...nestedIn(nodes, random.magnitude(bodies === 1 ? 3000 : 12), bodies),
      input('x'),
      output('y'),
    ]);
  },
  'captures at every depth': (random) => {
    const count = random.magnitude(5000);
    const values = Array.from({ length: count }, (_, i) => node('Abs', ['x'], [name(i)]));
    const inner = values.map((_, i) => node('Neg', [name(i)], [`n${i}`]));
    return model([...values, ...nestedIn(inner, random.magnitude(64), 1), input('x'), output('y')]);
  },
  'nested types': (random) => {
    const [outer, inner] = random.pick([
      [4, 1],
      [9, 1],
    ]);
    let type: Uint8Array[] = [];
    let length = 0;
    for (let depth = random.magnitude(MOST_DEPTH); depth > 0; depth--) {
      for (const number of [inner, outer]) {
        const head = headOf(number, length);
        type.push(head);
        length += head.length;
      }
    }
    type = type.reverse();
    return model([
      node('Identity', ['x'], ['y']),
      field(11, [field(1, 'x'), field(2, Buffer.concat(type))]),
      output('y'),
    ]);
  },
  'many functions': (random) => {
    const count = random.magnitude(20_000);
    const called = random.below(count);
    return model(
      identity(called),
      functions(count, () => []),
    );
  },
  'a chain of functions': (random) => {
    const count = random.magnitude(10_000);
    return model(
      identity(0),
      functions(count, (i) => (i + 1 < count ? [i + 1] : [])),
    );
  },
  'functions in a circle': (random) => {
    const count = random.magnitude(1000);
    return model(
      identity(0),
      functions(count, (i) => [(i + 1) % count]),
    );
  },
  'functions of functions': (random) => {
    const count = random.magnitude(60);
    const fanOut = random.between(2, 4);
    return model(
      identity(0),
      functions(count, (i) => (i + 1 < count ? Array<number>(fanOut).fill(i + 1) : [])),
    );
  },
  'functions that all call one': (random) => {
    const count = random.magnitude(10_000);
    return model(
      identity(1),
      functions(count, (i) => (i === 0 ? [] : [0])),
    );
  },
  'calls of many functions': (random) => {
    const count = random.magnitude(300);
    return model(
      identity(0),
      functions(count, (i) => Array.from({ length: count - i - 1 }, (_, j) => i + j + 1).slice(0, 30)),
    );
  },
  'weights that share their bytes': (random) => {
    const count = random.magnitude(5000);
    const entries = [field(13, [field(1, 'location'), field(2, 'w.bin')]), integer(14, 1)];
    const weights = Array.from({ length: count }, (_, i) =>
      field(5, [integer(1, 2048), integer(2, 1), field(8, name(i)), ...entries]),
    );
    const adds = Array.from({ length: count }, (_, i) => node('Add', [`u${i}`, name(i)], [`u${i + 1}`]));
    return model([...weights, ...adds, input('u0', 2048), output(`u${count}`)]);
  },
  'long names': (random) => {
    const long = 'n'.repeat(random.magnitude(200_000));
    const count = random.magnitude(Math.max(1, Math.floor(MOST_BYTES / long.length / 2)));
    const nodes = Array.from({ length: Math.min(count, 10_000) }, (_, i) =>
      node('Abs', [i === 0 ? 'x' : `${long}${i - 1}`], [i === count - 1 ? 'y' : `${long}${i}`]),
    );
    return model([...nodes, input('x'), output('y')]);
  },
};

/** A working model with one field, empty or small, repeated at one place. */
function repeatedFields(random: Random): Uint8Array {
  const place = random.pick([
    'model',
    'graph',
    'node',
    'attribute',
    'tensor',
    'sparse',
    'input',
    'type',
    'shape',
    'function',
    'entry',
  ] as const);
  const number = random.between(1, 26);
  const payload = random.pick([
    [],
    [field(1, 'x')],
    [field(4, 'Abs')],
    [field(1, 'x'), field(2, 'y')],
    [field(4, 'Abs'), field(1, 'x')],
    [field(8, 'w'), integer(2, 1)],
    [field(1, []), field(2, [])],
  ]);
  const count = random.magnitude(MOST_COUNT);
  const one = (index: number): WireField => {
    const numbered = distinct
      ? payload.map((part) => (part.number === named ? field(part.number, `x${index}`) : part))
      : payload;
    return isInteger ? integer(number, index) : field(number, numbered);
  };
  const isInteger = random.chance(0.1);
  const distinct = random.chance(0.5);
  const named = random.pick([1, 2, 8]);
  const most = Math.floor(MOST_BYTES / (encode([one(MOST_COUNT)]).length + 1));
  const many = Array.from({ length: Math.min(count, most) }, (_, index) => one(index));
  const at = (where: typeof place): WireField[] => (where === place ? many : []);
  const tensor = [field(8, 'w'), integer(2, 1), integer(1, 1), field(9, new Uint8Array(4)), ...at('tensor')];
  const attribute = field(5, [field(1, 'alpha'), ...at('attribute')]);
  const graph = [
    node('Add', ['x', 'w'], ['y'], [...(place === 'attribute' ? [attribute] : []), ...at('node')]),
    field(5, tensor),
    ...(place === 'sparse' ? [field(15, [field(1, tensor), field(2, tensor), ...many])] : []),
    field(11, [
      field(1, 'x'),
      field(2, [
        field(1, [integer(1, 1), field(2, [field(1, [integer(1, 1)]), ...at('shape')])]),
        ...at('type'),
      ]),
      ...at('input'),
    ]),
    output('y'),
    ...at('graph'),
  ];
  const fn = field(25, [field(1, 'F'), field(10, 'local'), ...at('function')]);
  const entry = field(14, [field(1, 'key'), ...at('entry')]);
  return model(graph, [...(place === 'function' ? [fn] : []), entry, ...at('model')]);
}

function model(graph: WireField[], rest: WireField[] = []): Uint8Array {
  const opset = (domain: string, version: number): WireField =>
    field(8, [...(domain === '' ? [] : [field(1, domain)]), integer(2, version)]);
  return encode([
    integer(1, 9),
    opset('', 17),
    opset('local', 1),
    ...rest,
    field(7, [field(2, 'g'), ...graph]),
  ]);
}

function name(index: number): string {
  return `v${index}`;
}

function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: WireField[] = [],
): WireField {
  return field(1, [
    ...inputs.map((each) => field(1, each)),
    ...outputs.map((each) => field(2, each)),
    field(4, opType),
    ...attributes,
  ]);
}

function valueInfo(number: number, named: string, dim?: number): WireField {
  const shape = dim === undefined ? [] : [field(2, [field(1, [integer(1, dim)])])];
  return field(number, [field(1, named), field(2, [field(1, [integer(1, 1), ...shape])])]);
}

function input(named: string, dim = 4): WireField {
  return valueInfo(11, named, dim);
}

function output(named: string): WireField {
  return valueInfo(12, named);
}

function weight(named: string): WireField {
  return field(5, [integer(1, 4), integer(2, 1), field(8, named), field(9, new Uint8Array(16))]);
}

/** `y` from `x` through function `index`. */
function identity(index: number): WireField[] {
  const call = node(`F${index}`, ['x'], ['y']);
  (call.content as WireField[]).push(field(7, 'local'));
  return [call, input('x'), output('y')];
}

/** Functions `F0` to `F<count - 1>`, each a chain of the functions that it calls and of one operator. */
function functions(count: number, calls: (index: number) => readonly number[]): WireField[] {
  return Array.from({ length: count }, (_, index) => {
    const called = calls(index);
    const nodes = called.map((callee, place) => {
      const call = node(`F${callee}`, [place === 0 ? 'a' : `t${place - 1}`], [`t${place}`]);
      (call.content as WireField[]).push(field(7, 'local'));
      return call;
    });
    nodes.push(node('Neg', [called.length === 0 ? 'a' : `t${called.length - 1}`], ['b']));
    return field(25, [
      field(1, `F${index}`),
      field(4, 'a'),
      field(5, 'b'),
      ...nodes.map((each) => ({ ...each, number: 7 })),
      field(9, [integer(2, 17)]),
      field(9, [field(1, 'local'), integer(2, 1)]),
      field(10, 'local'),
    ]);
  });
}

/** The nodes inside of `depth` graphs in graphs, each held `bodies` times by its node. */
function nestedIn(nodes: WireField[], depth: number, bodies: number): WireField[] {
  let parts: Uint8Array[] = [encode(nodes)].reverse();
  let length = parts[0].length;
  const wrap = (number: number): void => {
    const head = headOf(number, length);
    parts.push(head);
    length += head.length;
  };
  for (let level = 0; level < depth; level++) {
    const before = encode([field(1, 'x'), field(2, level === depth - 1 ? 'y' : 'o'), field(4, 'If')]);
    wrap(6);
    wrap(5);
    if (bodies > 1) {
      const attribute = Buffer.concat([...parts].reverse());
      parts = Array.from({ length: bodies }, () => attribute);
      length = attribute.length * bodies;
    }
    parts.push(before);
    length += before.length;
    wrap(1);
  }
  const whole = Buffer.concat(parts.reverse());
  // The outermost node's own head is written by the field that holds it.
  const head = headOf(1, 0).length - 1;
  return [field(1, whole.subarray(head + lengthOfLength(whole, head)))];
}

function headOf(number: number, length: number): Uint8Array {
  const head = encode([{ number, wireType: 2, content: new Uint8Array(), falseLength: BigInt(length) }]);
  return head;
}

function lengthOfLength(bytes: Uint8Array, at: number): number {
  let count = 1;
  while (bytes[at + count - 1] >= 0x80) count++;
  return count;
}
