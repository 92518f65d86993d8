import * as fc from 'fast-check';
import { WeightTable } from '../../../../lib/dataflow/weights';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import type { SliceDraft } from '../../../../lib/plan/file/plan';
import { bestCut } from '../../../../lib/plan/best-cut';
import { automatic, count } from '../../../../lib/plan/slicers';
import { sizeRanges } from '../../../../lib/plan/cuts/range-sizes';
import type { SliceSize } from '../../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../../lib/plan/sizes/slice-sizes';
import { wireSlices } from '../../../../lib/plan/wiring/wiring';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import {
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';
import { cases } from '../../../support/full-checks';

analyzeFast();

const TENSOR = 4 * 2 ** 20;

/** The slice of a chain of operators on a tensor of 4 MiB. */
function chain(operators: readonly string[]): SliceDraft {
  const graph = {
    node: operators.map((operator, index) =>
      node(
        operator,
        [index === 0 ? 'x' : `v${index - 1}`],
        [index === operators.length - 1 ? 'y' : `v${index}`],
      ),
    ),
    input: [value('x', FLOAT, [1, TENSOR / 4])],
    output: [value('y', FLOAT)],
  };
  return compileAnalyzed(analyzeModel(saveModel({ graph })), count(1)).plan.slices[0];
}

describe('sizes of slices', () => {
  test('do not count values that a slice neither reads nor computes', () => {
    const graph = {
      node: [
        node('Tile', ['x', 'times'], ['big']),
        node('ReduceSum', ['big'], ['a'], [attribute.int('keepdims', 0)]),
        node('Abs', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Add', ['c', 'big'], ['y']),
      ],
      initializer: [int64s('times', [1000])],
      input: [value('x', FLOAT, [8])],
      output: [value('y')],
    };
    const [, middle] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(5)).plan.slices.slice(1);
    expect(middle.activationBytes).toBeLessThan(100);
    expect(middle.readBytes).toBe(4);
  });

  test('do not count a large value as written if only its own slice reads it', () => {
    const graph = {
      node: [
        node('Expand', ['x', 'shape'], ['big']),
        node('Tanh', ['big'], ['t']),
        node('ReduceSum', ['t'], ['y'], [attribute.int('keepdims', 0)]),
      ],
      initializer: [int64s('shape', [15_000, 15_000])],
      input: [value('x', FLOAT, [1])],
      output: [value('y', FLOAT)],
    };
    const { dataflow, cuts } = analyzeModel(saveModel({ graph }));
    expect(bestCut(dataflow, cuts, automatic()).groups).toHaveLength(1);
  });

  test.each([
    ['a view of its input', ['Flatten', 'Flatten', 'Flatten']],
    ['in place', ['Relu', 'Sigmoid', 'Tanh']],
  ])('count a tensor once if each result is %s', (_, operators) => {
    expect(chain(['Exp', ...operators, 'Exp']).activationBytes).toBe(2 * TENSOR);
  });

  test('count a tensor twice where a node needs a place for its result', () => {
    expect(chain(['Exp', 'Exp', 'Exp', 'Exp']).activationBytes).toBe(2 * TENSOR);
  });

  test('count an output that would be a view of an activation as a copy', () => {
    expect(chain(['Exp', 'Flatten']).peakMemoryBytes - chain(['Exp']).peakMemoryBytes).toBeGreaterThan(
      TENSOR,
    );
  });

  test('count results of constant nodes only while they live', () => {
    const layers = [0, 1, 2, 3];
    const graph = {
      node: layers.flatMap((layer) => [
        node('ConstantOfShape', ['shape'], [`w${layer}`]),
        node('MatMul', [layer === 0 ? 'x' : `h${layer - 1}`, `w${layer}`], [layer === 3 ? 'y' : `h${layer}`]),
      ]),
      initializer: [int64s('shape', [512, 512])],
      input: [value('x', FLOAT, [1, 512])],
      output: [value('y', FLOAT)],
    };
    const [slice] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(1)).plan.slices;
    expect(slice.activationBytes).toBeGreaterThanOrEqual(512 * 512 * 4);
    expect(slice.activationBytes).toBeLessThan(2 * 512 * 512 * 4);
  });

  test.each([
    ['all first nodes of the branches', ['a0', 'a1', 'a2', 'b0', 'b1', 'b2']],
    ['one branch after the other', ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']],
  ])('count one branch at a time if the file has %s', (_, order) => {
    const branches = order.map((name) =>
      name.startsWith('a')
        ? node('Mul', ['x', 'scale'], [name])
        : node('ReduceMean', [`a${name[1]}`], [name], [attribute.ints('axes', [1])]),
    );
    const graph = {
      node: [...branches, node('Sum', ['b0', 'b1', 'b2'], ['y'])],
      initializer: [floats('scale', [1])],
      input: [value('x', FLOAT, [1024, TENSOR / 4 / 1024])],
      output: [value('y', FLOAT)],
    };
    const [slice] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(1)).plan.slices;
    expect(slice.activationBytes).toBeGreaterThanOrEqual(TENSOR);
    expect(slice.activationBytes).toBeLessThan(2 * TENSOR);
  });

  test('expect only the rows of a table in memory that a request can pick', () => {
    const rows = 100_000;
    const graph = {
      node: [node('Gather', ['table', 'ids'], ['y'])],
      initializer: [floats('table', [rows, 64])],
      input: [value('ids', INT64, [2])],
      output: [value('y', FLOAT)],
    };
    const [slice] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(1)).plan.slices;
    expect(slice.weightBytes).toBe(rows * 64 * 4);
    expect(slice.peakMemoryBytes).toBeLessThan(120e6 + 4 * 2 ** 20);
  });

  test('are those that the search for cuts compared, except for the order of ONNX Runtime', () => {
    fc.assert(
      fc.property(randomModel, fc.nat(1000), (init, seed) => {
        const { cuts } = analyzeModel(saveModel(init));
        const { legal } = cuts;
        const chosen = legal.filter((_, index) => ((seed >> (index % 10)) & 1) === 1);
        const space = { ...cuts, bytes: cuts.bytes.map((bytes) => 10_000 * bytes) };
        const boundaries = [0, ...chosen, cuts.dataflow.order.length];
        const weights = new WeightTable(space.dataflow, space.bytes, space.costs.work);
        const believed = boundaries.slice(1).map((_, from) => {
          const sizes: SliceSize[] = [];
          sizeRanges(space, weights, boundaries, from, (__, size) => {
            sizes.push(size);
            return false;
          });
          return sizes[0];
        });
        const groups = boundaries
          .slice(1)
          .map((end, from) => cuts.dataflow.order.slice(boundaries[from], end));
        const exact = sliceSizes(cuts.dataflow, wireSlices(cuts.dataflow, groups), space.bytes, space.costs);
        exact.forEach((size, slice) => {
          // Only the memory of activations depends on the order in which the nodes run.
          const { activationBytes, copiedBytes, largestBytes } = size;
          expect({ ...believed[slice], activationBytes, copiedBytes, largestBytes }).toMatchObject(size);
        });
      }),
      { numRuns: cases(20, 120) },
    );
  });
});

describe('the memory of activations', () => {
  /** `c` fits where `a` was, unless that memory is kept for `e`, which has the size of `a`. */
  const activations = (height: string | number, width: string | number): number => {
    const pooled = [attribute.ints('kernel_shape', [2, 2]), attribute.ints('strides', [2, 2])];
    const times = (count: number, from: string, result: string) =>
      node('Concat', Array<string>(count).fill(from), [result], [attribute.int('axis', 1)]);
    const graph = {
      node: [
        node('MaxPool', ['x'], ['p'], pooled),
        times(8, 'p', 'a'),
        node('ReduceMax', ['a'], ['b']),
        node('Add', ['p', 'b'], ['q']),
        times(6, 'q', 'c'),
        node('ReduceMax', ['c'], ['d']),
        node('Add', ['q', 'd'], ['r']),
        times(8, 'r', 'e'),
        node('ReduceMax', ['e'], ['y']),
      ],
      input: [value('x', FLOAT, [1, 4, height, width])],
      output: [value('y', FLOAT)],
    };
    const analyzed = analyzeModel(saveModel({ graph }), {
      dimensions: typeof height === 'string' ? { height: 256, width: 256 } : {},
    });
    return compileAnalyzed(analyzed, count(1)).plan.slices[0].activationBytes;
  };

  it('is not kept for a later tensor of which ONNX Runtime does not know that it has the same size', () => {
    const bytesOfA = 32 * 128 * 128 * 4;
    const fixed = activations(256, 256);
    expect(fixed - activations('height', 'width')).toBeGreaterThanOrEqual(bytesOfA / 2);
  });
});
