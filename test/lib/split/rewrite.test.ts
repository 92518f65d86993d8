/** Operators in parts compute the bits of the whole operators, by ONNX Runtime. */
import { attribute, floats, INT64, modelOf, node } from '../../support/model-builder';
import { expectSameBits, runWhole } from '../../support/run-slices';
import { savedSplit } from '../../support/split-model';
import { float32, int64 } from '../../support/tensors';

const x = new Map([['x', float32([3, 40])]]);
const ids = new Map([['ids', int64([2, 3], [0, 5, -1, 99, 42, -100])]]);
const image = new Map([['x', float32([1, 8, 6, 6])]]);

const product = (...attributes: object[]) =>
  modelOf([node('Gemm', ['x', 'w', 'c'], ['y'], attributes)], { x: [3, 40] }, [
    floats('w', attributes.length > 0 ? [512, 40] : [40, 512]),
    floats('c', [512]),
  ]);

it.each([
  ['MatMul', modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [3, 40] }, [floats('w', [40, 512])]), x, 3],
  ['Gemm', product(), x, 4],
  ['Gemm with a transposed weight', product(attribute.int('transB', 1)), x, 4],
  [
    'MatMul with the transpose of a table',
    modelOf([node('Transpose', ['w'], ['t']), node('MatMul', ['x', 't'], ['y'])], { x: [3, 40] }, [
      floats('w', [512, 40]),
    ]),
    x,
    2,
  ],
  [
    'Gather',
    modelOf([node('Gather', ['w', 'ids'], ['y'])], { ids: { type: INT64, dims: [2, 3] } }, [
      floats('w', [100, 64]),
    ]),
    ids,
    3,
  ],
  [
    'Conv',
    modelOf([node('Conv', ['x', 'w', 'b'], ['y'])], { x: [1, 8, 6, 6] }, [
      floats('w', [64, 8, 3, 3]),
      floats('b', [64]),
    ]),
    image,
    3,
  ],
  [
    'Conv with groups',
    modelOf([node('Conv', ['x', 'w'], ['y'], [attribute.int('group', 4)])], { x: [1, 8, 6, 6] }, [
      floats('w', [64, 2, 3, 3]),
    ]),
    image,
    2,
  ],
  [
    'ConvTranspose',
    modelOf([node('ConvTranspose', ['x', 'w'], ['y'])], { x: [1, 8, 6, 6] }, [floats('w', [8, 48, 3, 3])]),
    image,
    3,
  ],
] as const)('%s in parts has the bits of the whole', async (_, init, feeds, count) => {
  const { whole, parts, nodes } = savedSplit(init, count);
  expect(nodes.filter((opType) => opType === 'Concat')).toHaveLength(1);
  expectSameBits(await runWhole(parts, feeds), await runWhole(whole, feeds));
});

it('a table by rows answers each index, and refuses the ones that the whole table refuses', async () => {
  const init = modelOf([node('Gather', ['w', 'ids'], ['y'])], { ids: { type: INT64, dims: ['n'] } }, [
    floats('w', [100, 5]),
  ]);
  const { whole, parts } = savedSplit(init, 4, 'rows');
  const all = new Map([
    [
      'ids',
      int64(
        [200],
        Array.from({ length: 200 }, (_, index) => index - 100),
      ),
    ],
  ]);
  expectSameBits(await runWhole(parts, all), await runWhole(whole, all));
  for (const outside of [-101, 100, 1e9]) {
    const feeds = new Map([['ids', int64([1], [outside])]]);
    await expect(runWhole(whole, feeds)).rejects.toThrow('out of data bounds');
    await expect(runWhole(parts, feeds)).rejects.toThrow('out of data bounds');
  }
});
