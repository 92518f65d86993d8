/** Mutations of the fields of a model. */
import { GRAPH, NODE, WIRE_TYPE } from '../../../lib/onnx/fields';
import { words } from '../odd-values';
import type { Random } from '../random';
import { mutateExternal } from './external-data';
import { copy, encode, messages, nestedNode, places, varint, type WireField } from './wire-tree';

/** Changes `model`, which has fields, in place; may copy parts of `other`. */
type Mutation = (random: Random, model: WireField[], other: WireField[]) => void;

const MOST_COPIES = 2000;
/** More levels than the parser accepts. */
const MOST_NESTING = 80;

const ODD_INTEGERS = [
  ...[0n, 1n, 2n, -1n, 7n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 1n],
  ...[2n ** 40n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)],
];

const OPERATORS =
  words(`nowhere __proto__ __metadata__ constructor ai.onnx com.microsoft local Abs Add Cast Concat Constant
  Dropout Identity MatMul NonZero Optional RandomNormalLike Scan SequenceConstruct Shape Split Tanh Twice`);
const ODD_NAMES = ['', 'a\nb\u001b[31m', 'nul\0nul', '\u2028\u202e', '🙂'.repeat(100), 'long'.repeat(500)];

/** Values of leaves, by their kinds. */
const ODD_LEAVES: Readonly<Record<string, (random: Random, leaf: WireField) => WireField['content']>> = {
  text: oddName,
  integer: (random) => random.pick(ODD_INTEGERS),
  dim: (random) => (random.chance(0.5) ? random.pick(ODD_INTEGERS) : BigInt(random.below(5))),
  elementType: (random) => BigInt(random.below(30)),
  bytes: (random, leaf) => {
    if (random.chance(0.3)) return oddName(random);
    const length = random.below(bytesOf(leaf).length * 2 + 2);
    return random.chance(0.5) ? random.bytes(Math.min(length, 1000)) : new Uint8Array(length);
  },
};

/** Mutations that keep the file well-formed: other names, edges, operators, numbers and types. */
export const MEANING_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'rename to another name': (random, model) => {
    const texts = fieldsOf(model, 'text');
    if (texts.length > 0) random.pick(texts).content = random.pick(texts).content;
  },
  'rename everywhere': (random, model) => {
    const texts = fieldsOf(model, 'text');
    if (texts.length === 0) return;
    const [before, after] = [bytesOf(random.pick(texts)), oddName(random)];
    for (const text of texts) if (Buffer.compare(bytesOf(text), before) === 0) text.content = after;
  },
  'odd value': (random, model) => {
    const leaves = fieldsOf(model, ...Object.keys(ODD_LEAVES));
    if (leaves.length === 0) return;
    const { kind } = random.pick(leaves);
    const leaf = random.pick(random.chance(0.5) ? leaves : fieldsOf(model, kind));
    leaf.content = ODD_LEAVES[leaf.kind](random, leaf);
    if (typeof leaf.content === 'bigint') leaf.wireType = WIRE_TYPE.varint;
  },
  'other operator': (random, model) => {
    const operators = ofNodes(model, NODE.opType);
    if (operators.length > 0) random.pick(operators).content = Buffer.from(random.pick(OPERATORS));
  },
  'rewire an input': (random, model) => {
    const [inputs, outputs] = [ofNodes(model, NODE.input), ofNodes(model, NODE.output)];
    if (inputs.length * outputs.length > 0) random.pick(inputs).content = random.pick(outputs).content;
  },
  shuffle: (random, model) => {
    const graph = random.pick([model, ...messages(model, 'GraphProto')]);
    for (let index = graph.length - 1; index > 0; index--) {
      const other = random.below(index + 1);
      [graph[index], graph[other]] = [graph[other], graph[index]];
    }
  },
  'external data': mutateExternal,
};

/** Mutations that delete, repeat and move fields, and change types and lengths. */
export const STRUCTURE_MUTATIONS: Readonly<Record<string, Mutation>> = {
  delete: (random, model) => {
    const { siblings, index } = random.pick(places(model));
    siblings.splice(index, 1);
  },
  repeat: (random, model) => {
    const { siblings, index, field: each } = random.pick(places(model));
    const most = Math.max(2, Math.min(MOST_COPIES, Math.floor(500_000 / encode([each]).length)));
    // The copies share their content, so a later mutation of one changes all of them.
    siblings.splice(index, 0, ...Array<WireField>(random.magnitude(most)).fill(each));
  },
  'copy to another place': (random, model) => {
    const all = fieldsOf(model);
    const targets = all.flatMap(({ content }) => (Array.isArray(content) ? [content] : []));
    if (targets.length === 0) return;
    const target = random.pick(targets);
    target.splice(random.below(target.length + 1), 0, copy(random.pick(all)));
  },
  'take from another model': (random, model, other) => {
    const { siblings, index, field: each } = random.pick(places(model));
    const donors = fieldsOf(other, each.kind);
    if (donors.length > 0) siblings[index] = copy(random.pick(donors));
  },
  'other field number': (random, model) => {
    const odd = random.pick([0, 64, 65, 2 ** 28, 2 ** 29 - 1]);
    random.pick(fieldsOf(model)).number = random.chance(0.8) ? random.between(1, 26) : odd;
  },
  'other wire type': (random, model) => {
    const each = random.pick(fieldsOf(model));
    each.wireType = random.below(8);
    if (random.chance(0.3)) return;
    // The payload fits the wire type, so that only the type is wrong.
    if (each.wireType === WIRE_TYPE.varint) each.content = random.pick(ODD_INTEGERS);
    else if (each.wireType === WIRE_TYPE.fixed64) each.content = random.bytes(8);
    else if (each.wireType === WIRE_TYPE.fixed32) each.content = random.bytes(4);
    else if (typeof each.content === 'bigint') each.content = varint(each.content);
  },
  'false length': (random, model) => {
    const each = random.pick(fieldsOf(model));
    if (typeof each.content === 'bigint') return;
    const real = BigInt(Array.isArray(each.content) ? encode(each.content).length : each.content.length);
    each.falseLength = random.pick([0n, real - 1n, real + 1n, real * 2n, ...ODD_INTEGERS]);
  },
  'nest in bodies': (random, model) => {
    const nodes = places(model, 'NodeProto');
    if (nodes.length === 0) return;
    const { siblings, index, field: node } = random.pick(nodes);
    const body = encode([{ ...node, number: GRAPH.node }]);
    siblings[index] = { ...nestedNode(body, random.magnitude(MOST_NESTING)), number: node.number };
  },
};

function oddName(random: Random): Uint8Array {
  return random.chance(0.1) ? random.bytes(20) : Buffer.from(random.pick([...ODD_NAMES, ...OPERATORS]));
}

function bytesOf({ content }: WireField): Uint8Array {
  return content instanceof Uint8Array ? content : new Uint8Array();
}

/** The fields of these kinds, or all. */
function fieldsOf(model: WireField[], ...kinds: string[]): WireField[] {
  return places(model, ...kinds).map((place) => place.field);
}

/** The fields of a number in all nodes. */
function ofNodes(model: WireField[], number: number): WireField[] {
  return messages(model, 'NodeProto').flatMap((message) => message.filter((each) => each.number === number));
}
