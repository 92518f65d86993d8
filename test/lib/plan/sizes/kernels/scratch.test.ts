import * as fc from 'fast-check';
import { dataTypeName } from '../../../../../lib/onnx/data-type';
import { parseModel } from '../../../../../lib/onnx/parse';
import { scratchBytes } from '../../../../../lib/plan/sizes/kernels/scratch';
import type { ValueTypes } from '../../../../../lib/shapes/value-types';
import {
  BOOL,
  FLOAT,
  FLOAT16,
  INT32,
  UINT8,
  attribute,
  saveModel,
  value,
} from '../../../../support/model-builder';
import { readFreshFilesAtOnce } from '../../../../support/inference/fast-analysis';

readFreshFilesAtOnce();

type Shape = readonly number[];
type Typed = readonly [dtype: number, shape: Shape];

interface NodeOf {
  readonly opType: string;
  /** By input; a shape alone has floats. `undefined` omits the input. */
  readonly inputs: readonly (Shape | Typed | undefined)[];
  readonly output: Shape | Typed;
  readonly attributes?: readonly object[];
  readonly domain?: string;
  readonly opset?: number;
  /** Further outputs. */
  readonly more?: readonly Shape[];
}

/** Temporary bytes of a node whose values have the given types. */
function scratch({
  opType,
  inputs,
  output,
  attributes = [],
  domain = '',
  opset = 17,
  more = [],
}: NodeOf): number {
  const names = inputs.map((input, index) => (input === undefined ? '' : `x${index}`));
  const outputs = [output, ...more];
  const typed = new Map<string, Typed>();
  inputs.forEach((input, index) => {
    if (input !== undefined) typed.set(names[index], typedOf(input));
  });
  outputs.forEach((shape, index) => typed.set(`y${index}`, typedOf(shape)));
  const model = parseModel(
    saveModel({
      opset,
      graph: {
        node: [
          {
            opType,
            domain,
            input: names,
            output: outputs.map((_, index) => `y${index}`),
            attribute: [...attributes],
          },
        ],
        input: inputs.flatMap((input, index) =>
          input === undefined ? [] : [value(names[index], ...typedOf(input))],
        ),
        output: outputs.map((_, index) => value(`y${index}`)),
      },
    }),
  );
  const types: ValueTypes = model.graph.values.map(({ name }) => {
    const [dtype, shape] = typed.get(name) ?? [FLOAT, []];
    return { dtype: dataTypeName(dtype), shape };
  });
  return scratchBytes(model, types)[0];
}

function typedOf(given: Shape | Typed): Typed {
  return Array.isArray(given[1]) ? (given as Typed) : [FLOAT, given as Shape];
}

const CONTRIBUTED = 'com.microsoft';

describe('the temporary memory of', () => {
  describe('a convolution', () => {
    /** 32 filters of 8 channels and 3 x 3 on 4 x 4 pixels. */
    const conv = (batch: number, groups = 1): number =>
      scratch({
        opType: 'Conv',
        inputs: [
          [batch, 8 * groups, 4, 4],
          [32 * groups, 8, 3, 3],
        ],
        output: [batch, 32 * groups, 4, 4],
        attributes: [attribute.int('group', groups)],
      });

    it('holds the columns of one image if there are more filters than pixels', () => {
      expect(conv(1)).toBe(4 * 16 * 8 * 9);
    });

    it.each([1, 4, 8])('is that of one image in a batch of %i', (batch) => {
      expect(conv(batch)).toBe(conv(1));
    });

    it.each([2, 4])('is that of one of %i groups', (groups) => {
      expect(conv(1, groups)).toBe(conv(1));
    });

    it('compares the pixels with the filters of a group, not with all filters', () => {
      const inputs = [
        [1, 32, 4, 4],
        [32, 8, 3, 3],
      ];
      expect(scratch({ opType: 'Conv', inputs, output: [1, 32, 4, 4] })).toBe(0);
    });

    it('is none for more pixels, a depthwise window or a window of one pixel', () => {
      const of = (image: Shape, weights: Shape, output: Shape): number =>
        scratch({ opType: 'Conv', inputs: [image, weights], output });
      expect(of([1, 8, 8, 8], [4, 8, 3, 3], [1, 4, 8, 8])).toBe(0);
      expect(of([1, 64, 2, 2], [64, 1, 3, 3], [1, 64, 2, 2])).toBe(0);
      expect(of([1, 8, 4, 4], [32, 8, 1, 1], [1, 32, 4, 4])).toBe(0);
    });

    it('holds columns for a window of one pixel with a stride', () => {
      const inputs = [
        [1, 8, 4, 4],
        [32, 8, 1, 1],
      ];
      expect(scratch({ opType: 'Conv', inputs, output: [1, 32, 2, 2] })).toBe(4 * 4 * 8);
    });
  });

  it.each([1, 4])(
    'a transposed convolution holds the columns of one image and one group, with batch %i',
    (batch) => {
      // 2 groups of 3 filters and 2 x 2, on 16 pixels.
      const inputs = [
        [batch, 8, 4, 4],
        [8, 3, 2, 2],
      ];
      expect(scratch({ opType: 'ConvTranspose', inputs, output: [batch, 6, 8, 8] })).toBe(4 * 16 * 3 * 4);
    },
  );

  it.each([1, 4])('a convolution of integers holds the columns in bytes, with batch %i', (batch) => {
    const inputs: Typed[] = [
      [UINT8, [batch, 8, 4, 4]],
      [UINT8, [2, 4, 3, 3]],
    ];
    expect(scratch({ opType: 'ConvInteger', inputs, output: [INT32, [batch, 2, 4, 4]] })).toBe(16 * 4 * 9);
  });

  describe('a quantized convolution', () => {
    const quantized = (batch: number, weights: Shape, filters: number): number => {
      const scale: Shape = [];
      const zero: Typed = [UINT8, []];
      return scratch({
        opType: 'QLinearConv',
        inputs: [[UINT8, [batch, 8, 4, 4]], scale, zero, [UINT8, weights], scale, zero, scale, zero],
        output: [UINT8, [batch, filters, 4, 4]],
      });
    };

    it.each([1, 4])('reorders weights, transposes one image and sums in 32 bits, with batch %i', (batch) => {
      const [weights, image, result, columns] = [16 * 8 * 9, 8 * 16, 16 * 16, 8 * 9 * 16];
      expect(quantized(batch, [16, 8, 3, 3], 16)).toBe(weights + image + result + 4 * result + columns);
    });

    it('has pointers instead of columns if it is depthwise', () => {
      expect(quantized(1, [8, 1, 3, 3], 8)).toBe(8 * 9 + 8 * 16 + 5 * 8 * 16 + 8 * 9 * 16);
    });
  });

  describe('attention', () => {
    const [S, HIDDEN, HEADS] = [10, 12, 3];
    const projections = 3 * S * HIDDEN;
    const scores = HEADS * S * S;

    /** 3 heads unless said otherwise. */
    const attention = (
      batch: number,
      mask?: Typed,
      attributes = [attribute.int('num_heads', HEADS)],
    ): number =>
      scratch({
        opType: 'Attention',
        domain: CONTRIBUTED,
        inputs: [[batch, S, HIDDEN], [HIDDEN, 3 * HIDDEN], [3 * HIDDEN], mask],
        output: [batch, S, HIDDEN],
        attributes,
      });

    it('holds queries, keys, values, scores and the result', () => {
      expect(attention(1)).toBe(4 * (projections + scores + S * HIDDEN));
    });

    it.each([4, 8])('grows with a batch of %i, not with its square', (batch) => {
      expect(attention(batch)).toBe(batch * attention(1));
    });

    it('grows with the number of heads that the node names', () => {
      const twice = attention(1, undefined, [attribute.int('num_heads', 2 * HEADS)]);
      expect(twice - attention(1)).toBe(4 * scores);
    });

    it('takes 64 elements for a head if the node names no number', () => {
      expect(attention(1, undefined, [])).toBe(4 * (projections + S * S + S * HIDDEN));
    });

    it('holds a mask only if each query has its own', () => {
      expect(attention(2, [INT32, [2, S]])).toBe(attention(2));
      expect(attention(2, [INT32, [2, S, S]])).toBe(attention(2) + 4 * 2 * S * S);
      const causal = [attribute.int('num_heads', HEADS), attribute.int('unidirectional', 1)];
      expect(attention(2, undefined, causal)).toBe(attention(2) + 4 * 2 * S * S);
    });

    const multiHead = (inputs: NodeOf['inputs'], more: readonly Shape[] = []): number =>
      scratch({
        opType: 'MultiHeadAttention',
        domain: CONTRIBUTED,
        inputs,
        output: [2, S, HIDDEN],
        attributes: [attribute.int('num_heads', HEADS)],
        more,
      });
    const tensor: Shape = [2, S, HIDDEN];
    const moved = 3 * 2 * S * HIDDEN;

    it('with inputs of its own and no mask holds no scores', () => {
      expect(multiHead([tensor, tensor, tensor])).toBe(4 * moved);
    });

    it('with inputs of its own holds scores for a mask, a bias of scores, or a result for the next call', () => {
      const all = 4 * (moved + 2 * scores + 2 * S * HIDDEN);
      expect(multiHead([tensor, tensor, tensor, undefined, [INT32, [2, S]]])).toBe(all);
      expect(multiHead([tensor, tensor, tensor, undefined, undefined, [1, HEADS, S, S]])).toBe(all);
      const state: Shape = [2, HEADS, S, HIDDEN / HEADS];
      expect(multiHead([tensor, tensor, tensor], [state, state])).toBe(all);
    });

    const grouped = (attributes: readonly object[]): number =>
      scratch({
        opType: 'GroupQueryAttention',
        domain: CONTRIBUTED,
        inputs: [tensor, [2, S, 4], [2, S, 4]],
        output: tensor,
        attributes: [attribute.int('num_heads', HEADS), attribute.int('kv_num_heads', 1), ...attributes],
        more: [
          [2, 1, S, 4],
          [2, 1, S, 4],
        ],
      });

    it('of groups of queries holds scores only if they are capped', () => {
      const copies = 4 * 2 * S * (HIDDEN + 4 + 4);
      expect(grouped([])).toBe(copies);
      expect(grouped([{ name: 'softcap', f: 20.5, type: 1 }])).toBe(copies + 4 * 2 * scores);
    });

    const standard = (dtype: number, mask?: Typed, attributes: readonly object[] = []): number => {
      const input: Typed = [dtype, [2, HEADS, S, 4]];
      return scratch({
        opType: 'Attention',
        opset: 23,
        inputs: [input, input, input, mask],
        output: input,
        attributes,
      });
    };

    it('of ONNX holds all scores, and a mask if it is causal or has booleans', () => {
      expect(standard(FLOAT)).toBe(4 * 2 * scores);
      expect(standard(FLOAT, undefined, [attribute.int('is_causal', 1)])).toBe(4 * (2 * scores + S * S));
      expect(standard(FLOAT, [BOOL, [2, HEADS, S, S]])).toBe(4 * 4 * scores);
      expect(standard(FLOAT, [FLOAT, [S, S]])).toBe(4 * 2 * scores);
    });

    it('of ONNX in half precision converts the scores of one head', () => {
      expect(standard(FLOAT16)).toBe(2 * 2 * scores + 2 * 4 * S * S);
    });
  });

  describe('a recurrent layer', () => {
    const recurrent = (opType: string, directions: number, gates: number): number =>
      scratch({
        opType,
        inputs: [
          [10, 2, 3],
          [directions, gates * 5, 3],
          [directions, gates * 5, 5],
        ],
        output: [10, directions, 2, 5],
        attributes: [attribute.int('hidden_size', 5)],
      });

    it('holds the gates of all steps', () => {
      expect(recurrent('LSTM', 1, 4)).toBe(4 * 20 * 20);
      expect(recurrent('GRU', 1, 3)).toBe(4 * 20 * 15);
    });

    it('also reverses its input and its output if it has two directions', () => {
      expect(recurrent('LSTM', 2, 4)).toBe(4 * (2 * 20 * 20 + 20 * 3 + 20 * 10));
    });

    it('without gates holds one direction at a time', () => {
      expect(recurrent('RNN', 2, 1)).toBe(4 * 20 * 5);
    });
  });

  it('Where holds both selections, each broadcast to the condition', () => {
    const where = (condition: Shape, first: Shape, second: Shape): number =>
      scratch({ opType: 'Where', inputs: [[BOOL, condition], first, second], output: [8, 10] });
    expect(where([8, 10], [8, 10], [])).toBe(2 * 320);
    expect(where([10], [8, 10], [])).toBe(320 + 40);
  });

  it('Softmax holds two copies if its axis is not the last one', () => {
    const softmax = (axis: number, opset = 17): number =>
      scratch({
        opType: 'Softmax',
        inputs: [[2, 3, 5]],
        output: [2, 3, 5],
        attributes: [attribute.int('axis', axis)],
        opset,
      });
    expect([softmax(-1), softmax(2), softmax(1), softmax(1, 11)]).toEqual([0, 0, 240, 0]);
  });

  it('a product with weights of four bits holds these as floats', () => {
    const inputs: (Shape | Typed)[] = [[1, 7, 32], [UINT8, [48, 1, 16]], [48]];
    expect(scratch({ opType: 'MatMulNBits', domain: CONTRIBUTED, inputs, output: [1, 7, 48] })).toBe(
      4 * 32 * 48,
    );
  });

  it('a product that rounds to bytes holds sums of 32 bits', () => {
    const scale: Shape = [];
    const zero: Typed = [UINT8, []];
    const inputs = [
      [UINT8, [4, 8]] as Typed,
      scale,
      zero,
      [UINT8, [8, 6]] as Typed,
      scale,
      zero,
      scale,
      zero,
    ];
    expect(scratch({ opType: 'QLinearMatMul', inputs, output: [UINT8, [4, 6]] })).toBe(4 * 24);
  });

  it.each([
    ['HardSwish', 1, '', 1],
    ['Sum', 2, '', 0],
    ['Sum', 3, '', 1],
    ['Add', 2, '', 0],
    ['BiasGelu', 2, CONTRIBUTED, 1],
    ['FastGelu', 1, CONTRIBUTED, 0],
    ['FastGelu', 2, CONTRIBUTED, 1],
    ['Add', 2, 'a.domain.of.others', 0],
  ])('%s with %i inputs in the domain %j is %i outputs', (opType, inputs, domain, copies) => {
    const shapes = Array.from({ length: inputs }, () => [4, 5]);
    expect(scratch({ opType, domain, inputs: shapes, output: [4, 5] })).toBe(copies * 80);
  });

  it('is zero for an operator of this name in another domain', () => {
    const inputs = [
      [1, 8, 4, 4],
      [32, 8, 3, 3],
    ];
    expect(scratch({ opType: 'Conv', domain: 'local', inputs, output: [1, 32, 4, 4] })).toBe(0);
  });

  it('is finite and never negative, and grows with the batch, for any sizes', () => {
    const size = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.integer({ min: 1, max: 8 }), (batch, sequence, hidden, heads) => {
        const of = (count: number): number =>
          scratch({
            opType: 'Attention',
            domain: CONTRIBUTED,
            inputs: [[count, sequence, hidden], [hidden, 3 * hidden], [3 * hidden]],
            output: [count, sequence, hidden],
            attributes: [attribute.int('num_heads', heads)],
          });
        expect(of(batch)).toBeGreaterThanOrEqual(0);
        expect(of(batch + 1)).toBeGreaterThanOrEqual(of(batch));
        expect(of(2 * batch)).toBe(2 * of(batch));
      }),
      { numRuns: 50 },
    );
  });
});
