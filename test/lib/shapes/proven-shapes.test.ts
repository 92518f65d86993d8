import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32, int64 } from '../../support/tensors';

analyzeFast();

function shapesOf(model: ModelInit) {
  const { model: parsed, provenShapes } = analyzeModel(saveModel(model));
  return Object.fromEntries(parsed.graph.values.map(({ name }, index) => [name, provenShapes[index]]));
}

const image = (nodes: NodeInit[], more: object = {}): ModelInit => ({
  graph: {
    node: nodes,
    input: [value('x', FLOAT, ['n', 2, 5, 5])],
    output: [value('y', FLOAT)],
    ...more,
  },
});

describe('proven shapes', () => {
  test('have the fixed sizes and the names of the inputs', () => {
    const { r, y } = shapesOf(image([node('Relu', ['x'], ['r']), node('Abs', ['r'], ['y'])]));
    expect([r, y]).toEqual([
      ['n', 2, 5, 5],
      ['n', 2, 5, 5],
    ]);
  });

  test('tell a scalar from a tensor of unknown rank', () => {
    const graph = {
      node: [
        node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
        node('Reshape', ['x', 's'], ['r']),
        node('Add', ['r', 'sum'], ['y']),
      ],
      input: [value('x', FLOAT, ['n', 2]), value('s', INT64, ['k'])],
      output: [value('y', FLOAT)],
    };
    expect(shapesOf({ graph })).toMatchObject({ sum: [], r: null, y: null });
  });

  test('have the rank that the number of requested sizes implies', () => {
    const graph = {
      node: [
        node('Shape', ['x'], ['sizes']),
        node('Reshape', ['flat', 'sizes'], ['a']),
        node('Expand', ['one', 'sizes'], ['b']),
        node('ConstantOfShape', ['sizes'], ['c']),
        node('Sum', ['a', 'b', 'c'], ['y']),
      ],
      initializer: [floats('one', [1, 1, 1])],
      input: [value('x', FLOAT, ['n', 2]), value('flat', FLOAT, ['m'])],
      output: [value('y', FLOAT)],
    };
    const { a, b, c, y } = shapesOf({ graph });
    expect([a, b, c, y].map((shape) => shape?.length)).toEqual([2, 3, 2, 3]);
  });

  test('have no name that the inputs declare twice, because equal names may stand for different sizes', async () => {
    const graph = {
      node: [
        node('Abs', ['p'], ['a']),
        node('Abs', ['q'], ['b']),
        node('Add', ['a', 'b'], ['c']),
        node('Neg', ['c'], ['y']),
      ],
      input: [value('p', FLOAT, ['n', 2]), value('q', FLOAT, ['n', 'm'])],
      output: [value('y', FLOAT)],
    };
    expect(shapesOf({ graph })).toMatchObject({ a: [null, 2], b: [null, 'm'] });
    const feeds = new Map([
      ['p', float32([1, 2], [1, 2])],
      ['q', float32([3, 1], [4, 5, 6])],
    ]);
    expect(await expectSameBitsInEveryCut(saveModel({ graph }), feeds)).toBe(4);
  });

  describe('do not rest on what a body declares', () => {
    const branch = (name: string) =>
      attribute.graph(name, {
        node: [node('Reshape', ['t', 's'], [`${name}_row`]), node('Abs', [`${name}_row`], [`${name}_out`])],
        output: [value(`${name}_out`, FLOAT)],
        valueInfo: [value(`${name}_row`, FLOAT, [5, 'q'])],
      });
    const model: ModelInit = {
      graph: {
        node: [
          node('Tanh', ['x'], ['t']),
          node('If', ['c'], ['r'], [branch('then_branch'), branch('else_branch')]),
          node('Neg', ['r'], ['y']),
        ],
        input: [value('x', FLOAT, [4]), value('c', BOOL, []), value('s', INT64, ['k'])],
        output: [value('y', FLOAT)],
      },
    };

    test('about the rank', () => {
      const { types, model: parsed } = analyzeModel(saveModel(model));
      expect(types[parsed.graph.nodes[1].outputs[0]].shape).toEqual([5, 'q']);
      expect(shapesOf(model)).toMatchObject({ t: [4], r: null, y: null });
    });

    test('so the slices run as the whole model does', async () => {
      const feeds = new Map<string, ReturnType<typeof float32>>([
        ['x', float32([4], [1, 2, 3, 4])],
        ['s', int64([2], [2, 2])],
        ['c', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
      ]);
      expect(await expectSameBitsInEveryCut(saveModel(model), feeds)).toBe(3);
    });
  });

  test('do not rest on what a function declares', () => {
    const model: ModelInit = {
      graph: {
        node: [
          { ...node('Row', ['x', 's'], ['r']), domain: 'own' },
          { ...node('Row', ['r', 's'], ['y']), domain: 'own' },
        ],
        input: [value('x', FLOAT, [4]), value('s', INT64, ['k'])],
        output: [value('y', FLOAT)],
      },
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'own', version: 1 },
      ],
      functions: [
        {
          name: 'Row',
          domain: 'own',
          input: ['a', 'sizes'],
          output: ['b'],
          node: [node('Reshape', ['a', 'sizes'], ['b'])],
          valueInfo: [value('b', FLOAT, [1, 4])],
          opsetImport: [{ domain: '', version: 17 }],
        },
      ],
    };
    expect(shapesOf(model)).toMatchObject({ r: null, y: null });
  });

  // ONNX infers [1, 2, 3, 3] for this pooling, and [1, 2, 10, 11] for this resizing. ONNX Runtime computes other sizes.
  describe('have only the rank of a result whose sizes are rounded', () => {
    const pooling = [
      attribute.ints('kernel_shape', [1, 1]),
      attribute.ints('strides', [3, 3]),
      attribute.int('ceil_mode', 1),
    ];

    test('by pooling', async () => {
      const model = image([
        node('Relu', ['x'], ['r']),
        node('AveragePool', ['r'], ['p'], pooling),
        node('Neg', ['p'], ['y']),
      ]);
      expect(shapesOf(model)).toMatchObject({ p: [null, null, null, null], y: [null, null, null, null] });
      const feeds = new Map([['x', float32([1, 2, 5, 5])]]);
      expect(await expectSameBitsInEveryCut(saveModel(model), feeds)).toBe(3);
    });

    test('by resizing', () => {
      const resize = (inputs: string[]) =>
        shapesOf(
          image([node('Resize', inputs, ['p']), node('Neg', ['p'], ['y'])], {
            initializer: [floats('scales', [4], [1, 1, 7 / 3, 7 / 3]), int64s('sizes', [1, 2, 3, 4])],
          }),
        ).y;
      expect(resize(['x', '', 'scales'])).toEqual([null, null, null, null]);
      expect(resize(['x', '', '', 'sizes'])).toEqual([1, 2, 3, 4]);
    });

    test('but all sizes of a pooling that does not round', () => {
      const [kernel, strides] = pooling;
      const { p } = shapesOf(
        image([node('MaxPool', ['x'], ['p'], [kernel, strides]), node('Neg', ['p'], ['y'])]),
      );
      expect(p).toEqual(['n', 2, 2, 2]);
    });
  });
});
