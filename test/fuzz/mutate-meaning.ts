/** Mutations that keep the file well-formed: other names, edges, operators, numbers and types. */
import { GRAPH, NODE, TENSOR, VALUE_INFO } from '../../lib/onnx/fields';
import type { Mutation } from './mutation';
import { ODD_INTEGERS, change, contentOf, ofKind, pickContent } from './mutation';
import { field, integer } from './wire-tree';

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

export const MEANING_MUTATIONS: Readonly<Record<string, Mutation>> = {
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
    const operator = node?.find(({ number }) => number === NODE.opType);
    if (operator) operator.content = Buffer.from(random.pick(OPERATORS));
  },
  'rewire an input': (random, model) => {
    const input = pickContent(random, model, 'Node')?.find(({ number }) => number === NODE.input);
    const output = pickContent(random, model, 'Node')?.find(({ number }) => number === NODE.output);
    if (input && output) input.content = output.content;
  },
  'show an inner value': (random, model) => {
    const graph = pickContent(random, model, 'Graph');
    const output = pickContent(random, model, 'Node')?.find(({ number }) => number === NODE.output);
    if (graph && output)
      graph.push(field(GRAPH.output, [{ ...output, number: VALUE_INFO.name }], 'ValueInfo'));
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
    const input = node?.find(({ number }) => number === NODE.input);
    const output = node?.find(({ number }) => number === NODE.output);
    if (input && output) input.content = output.content;
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
      ...Array.from({ length: count }, () => integer(TENSOR.dims, random.pick(ODD_INTEGERS), 'dim')),
    );
  },
};
