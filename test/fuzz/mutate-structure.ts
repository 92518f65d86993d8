/** Mutations of a model's fields: wrong names, numbers, types, lengths and places. */
import type { Random } from './random';
import type { FieldKind, MessageName } from './schema';
import { isMessage } from './schema';
import type { Place, WireField } from './wire-tree';
import { copy, encode, field, integer, places, varint } from './wire-tree';

/** Changes `model` in place; `other` is another model, to take parts from. */
export type StructureMutation = (random: Random, model: WireField[], other: WireField[]) => void;

const ODD_NAMES = [
  '',
  'nowhere',
  '__proto__',
  '__metadata__',
  'constructor',
  'a\nb\u001b[31m',
  'nul\0nul',
  '\u2028\u202e',
  '🙂'.repeat(100),
  'long'.repeat(500),
  'ai.onnx',
  'com.microsoft',
  'local',
];

const ODD_INTEGERS = [
  0n,
  1n,
  2n,
  -1n,
  7n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n + 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

const OPERATORS = [
  'Abs',
  'Add',
  'Cast',
  'Concat',
  'Constant',
  'Dropout',
  'Identity',
  'MatMul',
  'NonZero',
  'Optional',
  'RandomNormalLike',
  'Scan',
  'SequenceConstruct',
  'Shape',
  'Split',
  'Tanh',
  'Twice',
  'line\nend',
];

const MOST_COPIES = 2000;
/** Above the deepest graphs that the parser reads. */
const MOST_NESTING = 80;

export const STRUCTURE_MUTATIONS: Readonly<Record<string, StructureMutation>> = {
  'rename to another name': (random, model) => {
    const texts = ofKind(model, ['text']);
    if (texts.length > 0) random.pick(texts).field.content = random.pick(texts).field.content;
  },
  'rename to an odd name': (random, model) => {
    change(random, model, ['text', 'bytes'], (each) => {
      each.content = random.chance(0.1) ? random.bytes(20) : Buffer.from(random.pick(ODD_NAMES));
    });
  },
  'rename everywhere': (random, model) => {
    const texts = ofKind(model, ['text']);
    if (texts.length === 0) return;
    const before = contentOf(random.pick(texts));
    const after = random.chance(0.1) ? random.bytes(20) : Buffer.from(random.pick(ODD_NAMES));
    for (const place of texts) {
      if (Buffer.compare(contentOf(place), before) === 0) place.field.content = after;
    }
  },
  'other operator': (random, model) => {
    const node = pickContent(random, model, 'Node');
    const operator = node?.find(({ number }) => number === 4);
    if (operator) operator.content = Buffer.from(random.pick(OPERATORS));
  },
  'rewire an input': (random, model) => {
    const input = pickContent(random, model, 'Node')?.find(({ number }) => number === 1);
    const output = pickContent(random, model, 'Node')?.find(({ number }) => number === 2);
    if (input && output) input.content = output.content;
  },
  'show an inner value': (random, model) => {
    const graph = pickContent(random, model, 'Graph');
    const output = pickContent(random, model, 'Node')?.find(({ number }) => number === 2);
    if (graph && output) graph.push(field(12, [{ ...output, number: 1 }], 'ValueInfo'));
  },
  shuffle: (random, model) => {
    const graph = pickContent(random, model, 'Graph') ?? model;
    for (let index = graph.length - 1; index > 0; index--) {
      const other = random.below(index + 1);
      [graph[index], graph[other]] = [graph[other], graph[index]];
    }
  },
  'odd integer': (random, model) => {
    change(random, model, ['integer', 'dim', 'elementType'], (each) => {
      each.content = random.pick(ODD_INTEGERS);
    });
  },
  'other dims': (random, model) => {
    change(random, model, ['dim'], (each) => {
      each.content = random.chance(0.5) ? random.pick(ODD_INTEGERS) : BigInt(random.below(5));
    });
  },
  'other element type': (random, model) => {
    change(random, model, ['elementType'], (each) => {
      each.content = BigInt(random.below(30));
    });
  },
  'cyclic edge': (random, model) => {
    const node = pickContent(random, model, 'Node');
    const input = node?.find(({ number }) => number === 1);
    const output = node?.find(({ number }) => number === 2);
    if (input && output) input.content = output.content;
  },
  delete: (random, model) => {
    const { siblings, index } = random.pick(places(model));
    siblings.splice(index, 1);
  },
  duplicate: (random, model) => {
    const { siblings, index, field: each } = random.pick(places(model));
    siblings.splice(index, 0, copy(each));
  },
  repeat: (random, model) => {
    const { siblings, index, field: each } = random.pick(places(model));
    const size = encode([each]).length;
    const most = Math.max(2, Math.min(MOST_COPIES, Math.floor(500_000 / size)));
    // The copies share their content; what later mutations change in one changes in all.
    const copies = Array.from({ length: random.magnitude(most) }, () => each);
    siblings.splice(index, 0, ...copies);
  },
  swap: (random, model) => {
    const { siblings, index, field: each } = random.pick(places(model));
    const with_ = random.below(siblings.length);
    siblings[index] = siblings[with_];
    siblings[with_] = each;
  },
  'copy to another place': (random, model) => {
    const all = places(model);
    const messages = all.filter((place) => Array.isArray(place.field.content));
    if (messages.length === 0) return;
    const target = random.pick(messages).field.content as WireField[];
    target.splice(random.below(target.length + 1), 0, copy(random.pick(all).field));
  },
  'take from another model': (random, model, other) => {
    const target = random.pick(places(model));
    const donors = ofKind(other, target.field.kind === undefined ? [] : [target.field.kind]);
    if (donors.length > 0) target.siblings[target.index] = copy(random.pick(donors).field);
  },
  'other field number': (random, model) => {
    const { field: each } = random.pick(places(model));
    each.number = random.chance(0.8) ? random.between(1, 26) : random.pick([0, 64, 65, 2 ** 28, 2 ** 29 - 1]);
  },
  'other wire type': (random, model) => {
    const { field: each } = random.pick(places(model));
    each.wireType = random.below(8);
    if (random.chance(0.3)) return;
    // With a payload that fits the wire type: what is wrong is the type alone.
    if (each.wireType === 0) each.content = random.pick(ODD_INTEGERS);
    else if (each.wireType === 1) each.content = random.bytes(8);
    else if (each.wireType === 5) each.content = random.bytes(4);
    else if (each.wireType === 3) each.content = Uint8Array.from(varint(BigInt(each.number * 8 + 4)));
    else if (typeof each.content === 'bigint') each.content = varint(each.content);
  },
  'false length': (random, model) => {
    const { field: each } = random.pick(places(model));
    if (typeof each.content === 'bigint') return;
    const real = BigInt(Array.isArray(each.content) ? encode(each.content).length : each.content.length);
    each.falseLength = random.pick([0n, real - 1n, real + 1n, real * 2n, ...ODD_INTEGERS]);
  },
  'long varint': (random, model) => {
    const { siblings, index } = random.pick(places(model));
    const long = new Uint8Array(random.between(9, 20)).fill(0xff);
    siblings.splice(
      index,
      0,
      { number: random.between(1, 26), wireType: 0, content: 0n },
      {
        number: random.between(1, 15),
        wireType: 5,
        content: Buffer.concat([long, Uint8Array.of(1)]),
      },
    );
  },
  'pack integers': (random, model) => {
    change(random, model, ['dim', 'integer'], (each) => {
      const numbers = Array.from({ length: random.magnitude(100) }, () => varint(random.pick(ODD_INTEGERS)));
      each.wireType = 2;
      each.content = Buffer.concat(numbers);
    });
  },
  'other bytes': (random, model) => {
    change(random, model, ['bytes'], (each) => {
      if (!(each.content instanceof Uint8Array)) return;
      const length = random.below(each.content.length * 2 + 2);
      each.content = random.chance(0.5) ? random.bytes(Math.min(length, 1000)) : new Uint8Array(length);
    });
  },
  'more dims': (random, model) => {
    const count = random.magnitude(100);
    pickContent(random, model, 'Tensor')?.push(
      ...Array.from({ length: count }, () => integer(1, random.pick(ODD_INTEGERS), 'dim')),
    );
  },
  'nest in bodies': (random, model) => {
    const nodes = ofKind(model, ['Node']);
    if (nodes.length === 0) return;
    const { siblings, index } = random.pick(nodes);
    for (let depth = random.magnitude(MOST_NESTING); depth > 0; depth--) {
      siblings[index] = field(
        1,
        [
          field(2, `nested ${depth}`, 'text'),
          field(4, 'If', 'text'),
          field(5, [field(1, 'then_branch', 'text'), field(6, [siblings[index]], 'Graph')], 'Attribute'),
        ],
        'Node',
      );
    }
  },
};

function ofKind(model: WireField[], kinds: readonly FieldKind[]): Place[] {
  return places(model).filter(
    ({ field: { kind, content } }) =>
      kind !== undefined && kinds.includes(kind) && (!isMessage(kind) || Array.isArray(content)),
  );
}

function contentOf({ field: { content } }: Place): Uint8Array {
  return content instanceof Uint8Array ? content : new Uint8Array();
}

/** The fields of one of the model's messages of a kind. */
function pickContent(random: Random, model: WireField[], kind: MessageName): WireField[] | undefined {
  const found = ofKind(model, [kind]);
  return found.length === 0 ? undefined : (random.pick(found).field.content as WireField[]);
}

function change(
  random: Random,
  model: WireField[],
  kinds: readonly FieldKind[],
  apply: (each: WireField) => void,
): void {
  const candidates = ofKind(model, kinds);
  if (candidates.length > 0) apply(random.pick(candidates).field);
}
