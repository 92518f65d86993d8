/** The sizes that slices declare are those that ONNX Runtime's kernels make, for random nodes of operators that compute sizes. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  type TensorInit,
  FLOAT,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

const CHANNELS = 2;

interface RandomNode {
  readonly node: NodeInit;
  readonly weights: TensorInit[];
}

const side = fc.integer({ min: 1, max: 4 });
const pair = fc.tuple(side, side);
const autoPad = fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER');
const window = fc.record({
  kernel: pair,
  strides: pair,
  pads: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.nat(1)),
  autoPad,
  ceils: fc.nat(1),
});
type Window = typeof window extends fc.Arbitrary<infer T> ? T : never;

/** ONNX Runtime takes pads only without `auto_pad`, and only below the size of the kernel. */
function windowAttributes({ kernel, strides, pads, autoPad: mode }: Window): object[] {
  const own = pads.map((pad, index) => Math.min(pad, kernel[index % 2] - 1));
  return [
    attribute.ints('kernel_shape', kernel),
    attribute.ints('strides', strides),
    { name: 'auto_pad', s: Buffer.from(mode), type: 3 },
    ...(mode === 'NOTSET' ? [attribute.ints('pads', own)] : []),
  ];
}

const pool = fc
  .tuple(fc.constantFrom('MaxPool', 'AveragePool'), window)
  .map(([opType, options]): RandomNode => ({
    node: node(
      opType,
      ['x'],
      ['r'],
      [...windowAttributes(options), attribute.int('ceil_mode', options.ceils)],
    ),
    weights: [],
  }));
const convolution = fc
  .tuple(fc.constantFrom('Conv', 'ConvTranspose'), window)
  .map(([opType, options]): RandomNode => ({
    node: node(opType, ['x', 'w'], ['r'], windowAttributes(options)),
    weights: [floats('w', [CHANNELS, CHANNELS, ...options.kernel])],
  }));
const resize = fc
  .tuple(fc.double({ min: 0.3, max: 3, noNaN: true }), fc.double({ min: 0.3, max: 3, noNaN: true }))
  .map((scales): RandomNode => ({
    node: node('Resize', ['x', '', 'scales'], ['r']),
    weights: [floats('scales', [4], [1, 1, ...scales])],
  }));
const slice = fc
  .tuple(fc.integer({ min: -6, max: 6 }), fc.integer({ min: -9, max: 9 }), fc.constantFrom(-3, -1, 1, 2))
  .map(([start, end, step]): RandomNode => ({
    node: node('Slice', ['x', 'start', 'end', 'axis', 'step'], ['r']),
    weights: [int64s('start', [start]), int64s('end', [end]), int64s('axis', [2]), int64s('step', [step])],
  }));
const pad = fc.tuple(fc.nat(2), fc.integer({ min: -1, max: 2 })).map(([before, after]): RandomNode => ({
  node: node('Pad', ['x', 'pads'], ['r']),
  weights: [int64s('pads', [0, 0, before, 0, 0, 0, after, 1])],
}));

describe('the sizes that slices declare', () => {
  test('are those that the kernels of ONNX Runtime make', async () => {
    let declared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(pool, convolution, resize, slice, pad),
        fc.integer({ min: 4, max: 9 }),
        fc.integer({ min: 4, max: 9 }),
        async (random, height, width) => {
          const model: ModelInit = {
            opset: 17,
            graph: {
              node: [random.node, node('Identity', ['r'], ['y'])],
              initializer: random.weights,
              input: [value('x', FLOAT, [1, CHANNELS, height, width])],
              output: [value('y', FLOAT)],
            },
          };
          const file = saveModel(model);
          const feeds = new Map([['x', float32([1, CHANNELS, height, width])]]);
          const made = await runWhole(file, feeds).catch(() => undefined);
          // ONNX Runtime refuses some nodes, such as one with a kernel larger than its input.
          if (made === undefined) return;
          const { model: parsed, provenShapes } = analyzeModel(file);
          const shape = provenShapes[parsed.graph.values.findIndex(({ name }) => name === 'r')];
          const real = made.get('y')?.shape ?? [];
          expect(shape).toHaveLength(real.length);
          shape?.forEach((size, axis) => {
            if (size === null) return;
            expect(size).toBe(real[axis]);
            declared++;
          });
        },
      ),
      { numRuns: 50, seed: 14 },
    );
    expect(declared).toBeGreaterThan(50);
  });
});
