/** The temporary buffers of kernels, and how they get the memory of their outputs, for nodes of given types. */
import * as fc from 'fast-check';
import { outputMemory } from '../../../../../lib/plan/sizes/node-memory';
import { scratchBytes } from '../../../../../lib/plan/sizes/kernels/scratch';
import { readFreshFilesAtOnce } from '../../../../support/inference/fast-analysis';
import { typedNode } from '../../../../support/typed-node';

readFreshFilesAtOnce();

function scratch(...node: Parameters<typeof typedNode>): number {
  const { model, types } = typedNode(...node);
  return scratchBytes(model, types)[0];
}

type Case = [holds: string, node: string, attributes: Readonly<Record<string, number>>, bytes: number];

/** 8 channels and 3 x 3 on 4 x 4 pixels. */
const COLUMNS = 4 * 16 * 8 * 9;

test.each<Case>([
  ['columns if there are more filters than pixels', 'Conv 1x8x4x4 32x8x3x3 -> 1x32x4x4', {}, COLUMNS],
  ['columns of one image of a batch', 'Conv 8x8x4x4 32x8x3x3 -> 8x32x4x4', {}, COLUMNS],
  ['columns of one of four groups', 'Conv 1x32x4x4 128x8x3x3 -> 1x128x4x4', { group: 4 }, COLUMNS],
  ['nothing if a group has fewer filters than pixels', 'Conv 1x32x4x4 32x8x3x3 -> 1x32x4x4', {}, 0],
  ['nothing for more pixels', 'Conv 1x8x8x8 4x8x3x3 -> 1x4x8x8', {}, 0],
  ['nothing depthwise', 'Conv 1x64x2x2 64x1x3x3 -> 1x64x2x2', {}, 0],
  ['nothing for a window of one pixel', 'Conv 1x8x4x4 32x8x1x1 -> 1x32x4x4', {}, 0],
  ['columns for one pixel with a stride', 'Conv 1x8x4x4 32x8x1x1 -> 1x32x2x2', {}, 4 * 4 * 8],
  ['nothing in another domain', 'local:Conv 1x8x4x4 32x8x3x3 -> 1x32x4x4', {}, 0],
  ['columns of one group', 'ConvTranspose 4x8x4x4 8x3x2x2 -> 4x6x8x8', {}, 4 * 16 * 3 * 4],
  ['columns in bytes', 'ConvInteger u8:4x8x4x4 u8:2x4x3x3 -> i32:4x2x4x4', {}, 16 * 4 * 9],
  [
    'weights, one image, its output in bytes and in 32 bits, and columns',
    'QLinearConv u8:4x8x4x4 . u8:. u8:16x8x3x3 . u8:. . u8:. -> u8:4x16x4x4',
    {},
    16 * 72 + 8 * 16 + 5 * 16 * 16 + 72 * 16,
  ],
  [
    'pointers instead of columns if it is depthwise',
    'QLinearConv u8:1x8x4x4 . u8:. u8:8x1x3x3 . u8:. . u8:. -> u8:1x8x4x4',
    {},
    8 * 9 + 8 * 16 + 5 * 8 * 16 + 8 * 9 * 16,
  ],
  ['gates of all steps', 'LSTM 10x2x3 1x20x3 1x20x5 -> 10x1x2x5', {}, 4 * 20 * 20],
  ['gates of all steps', 'GRU 10x2x3 1x15x3 1x15x5 -> 10x1x2x5', {}, 4 * 20 * 15],
  [
    'gates, a reversed input and output of two directions',
    'LSTM 10x2x3 2x20x3 2x20x5 -> 10x2x2x5',
    {},
    4 * (2 * 20 * 20 + 20 * 3 + 20 * 10),
  ],
  ['one direction at a time', 'RNN 10x2x3 2x5x3 2x5x5 -> 10x2x2x5', {}, 4 * 20 * 5],
  ['both selections', 'Where bool:8x10 8x10 . -> 8x10', {}, 2 * 320],
  ['selections, broadcast to the condition', 'Where bool:10 8x10 . -> 8x10', {}, 320 + 40],
  ['weights of four bits as floats', 'com.microsoft:MatMulNBits 1x7x32 u8:48x1x16 48 -> 1x7x48', {}, 6144],
  ['sums of 32 bits', 'QLinearMatMul u8:4x8 . u8:. u8:8x6 . u8:. . u8:. -> u8:4x6', {}, 4 * 24],
  ['its input in bytes', 'com.microsoft:DynamicQuantizeMatMul 4x8 u8:8x6 . -> 4x6', {}, 32],
  ['the right operand and the result', 'Einsum 4x5 5x6 -> 4x6', {}, 4 * (30 + 24)],
  ['moved heads of all', 'Einsum 1x2x4x5 1x2x5x6 -> 1x2x4x6', {}, 4 * (40 + 60 + 2 * 48)],
  ['rows of another width', 'Resize 1x2x8x8 - - i32:4 -> 1x2x4x4', { antialias: 1 }, 4 * 16 * 4],
  ['squares of one image, and scales', 'LRN 2x3x4x4 -> 2x3x4x4', {}, 384 + 192],
  ['two outputs', 'MeanVarianceNormalization 2x3x4 -> 2x3x4', {}, 192],
  ['one output', 'HardSwish 4x5 -> 4x5', {}, 80],
  ['nothing for two inputs', 'Sum 4x5 4x5 -> 4x5', {}, 0],
  ['a partial result of more inputs', 'Sum 4x5 4x5 4x5 -> 4x5', {}, 80],
  ['nothing', 'Add 4x5 4x5 -> 4x5', {}, 0],
  ['one output', 'com.microsoft:BiasGelu 4x5 5 -> 4x5', {}, 80],
  ['nothing without a bias', 'com.microsoft:FastGelu 4x5 -> 4x5', {}, 0],
  ['one output with a bias', 'com.microsoft:FastGelu 4x5 5 -> 4x5', {}, 80],
])('a kernel holds %s: %s', (_, node, attributes, bytes) => {
  expect(scratch(node, attributes)).toBe(bytes);
});

test.each([
  [17, -1, 0],
  [17, 2, 0],
  [17, 1, 240],
  [11, 1, 0],
])('softmax in opset %i over axis %i holds copies of %i bytes', (opset, axis, bytes) => {
  expect(scratch('Softmax 2x3x5 -> 2x3x5', { axis }, opset)).toBe(bytes);
});

test('group normalization holds more copies since it is a longer function', () => {
  const copies = [18, 21].map((opset) => scratch('GroupNormalization 2x4x3 4 4 -> 2x4x3', {}, opset) / 96);
  expect(copies).toEqual([1, 3]);
});

/** 10 queries and keys of 3 heads of 4 elements. */
const [SCORES, STATES] = [3 * 10 * 10, 10 * 12];
const OWN = 4 * (3 * STATES + SCORES + STATES);
const HEADS = { num_heads: 3 };
const projected = (batch: number, mask = '-'): string =>
  `com.microsoft:Attention ${batch}x10x12 12x36 36 ${mask} -> ${batch}x10x12`;
const multiHead = (more: string, results = ''): string =>
  `com.microsoft:MultiHeadAttention 2x10x12 2x10x12 2x10x12${more} -> 2x10x12${results}`;
const ALL_SCORES = 4 * 2 * (3 * STATES + SCORES + STATES);
const grouped = 'com.microsoft:GroupQueryAttention 2x10x12 2x10x4 2x10x4 -> 2x10x12 2x1x10x4 2x1x10x4';
const GROUPED = 4 * 2 * 10 * (12 + 4 + 4);
const standard = (type: string, mask = '-'): string =>
  `Attention ${type}2x3x10x4 ${type}2x3x10x4 ${type}2x3x10x4 ${mask} -> ${type}2x3x10x4`;

test.each<Case>([
  ['queries, keys, values, scores and the result', projected(1), HEADS, OWN],
  ['as much for each of a batch', projected(8), HEADS, 8 * OWN],
  ['scores of as many heads as it names', projected(1), { num_heads: 6 }, OWN + 4 * SCORES],
  ['scores of heads of 64 elements', projected(1), {}, OWN - 4 * (SCORES - 100)],
  ['no mask of keys', projected(2, 'i32:2x10'), HEADS, 2 * OWN],
  ['a mask of each query', projected(2, 'i32:2x10x10'), HEADS, 2 * OWN + 4 * 2 * 100],
  ['a causal mask', projected(2), { ...HEADS, unidirectional: 1 }, 2 * OWN + 4 * 2 * 100],
  ['no scores without a mask', multiHead(''), HEADS, 4 * 2 * 3 * STATES],
  ['all scores with a mask', multiHead(' - i32:2x10'), HEADS, ALL_SCORES],
  ['all scores with a bias of scores', multiHead(' - - 1x3x10x10'), HEADS, ALL_SCORES],
  ['all scores with a state', multiHead('', ' 2x3x10x4 2x3x10x4'), HEADS, ALL_SCORES],
  ['no scores of groups', grouped, { ...HEADS, kv_num_heads: 1 }, GROUPED],
  ['capped scores', grouped, { ...HEADS, softcap: 20.5 }, GROUPED + 4 * 2 * SCORES],
  ['all scores', standard(''), {}, 4 * 2 * SCORES],
  ['scores and a causal mask', standard(''), { is_causal: 1 }, 4 * (2 * SCORES + 100)],
  ['scores and a mask of booleans', standard('', 'bool:2x3x10x10'), {}, 4 * 4 * SCORES],
  ['no mask of floats', standard('', '10x10'), {}, 4 * 2 * SCORES],
  ['halves, and scores of one head in floats', standard('f16:'), {}, 2 * 2 * SCORES + 2 * 4 * 100],
])('attention holds %s: %s', (_, node, attributes, bytes) => {
  expect(scratch(node, attributes, node.startsWith('Attention') ? 23 : 17)).toBe(bytes);
});

test('attention is finite and never negative, and grows with the batch, for any sizes', () => {
  const size = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 1, max: 8 }), (batch, sequence, hidden, heads) => {
      const of = (own: number): number => {
        const states = `${own}x${sequence}x${hidden}`;
        const weights = `${hidden}x${3 * hidden} ${3 * hidden}`;
        return scratch(`com.microsoft:Attention ${states} ${weights} -> ${states}`, { num_heads: heads });
      };
      expect(of(batch)).toBeGreaterThanOrEqual(0);
      expect(of(batch + 1)).toBeGreaterThanOrEqual(of(batch));
      expect(of(2 * batch)).toBe(2 * of(batch));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['Reshape', 'view'],
  ['Relu', 'in place'],
  ['Exp', 'new'],
  ['ai.onnx:Relu', 'in place'],
  ['com.microsoft:Relu', 'new'],
  ['local:Reshape', 'new'],
])('the output of %s is %s', (operator, expected) => {
  const { model } = typedNode(`${operator} 2 2 -> 2`);
  expect(outputMemory(model.graph.nodes[0])).toBe(expected);
});
