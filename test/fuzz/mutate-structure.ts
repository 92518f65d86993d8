/** Mutations of the fields of a model: they delete, repeat and move fields, and change types and lengths. */
import type { Mutation } from './mutation';
import { ODD_INTEGERS, change, ofKind } from './mutation';
import type { WireField } from './wire-tree';
import { copy, encode, field, places, varint } from './wire-tree';

const MOST_COPIES = 2000;
/** More levels than the parser accepts. */
const MOST_NESTING = 80;

export const STRUCTURE_MUTATIONS: Readonly<Record<string, Mutation>> = {
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
    // The copies share their content, so a later mutation of one changes all of them.
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
    // The payload fits the wire type, so that only the type is wrong.
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
