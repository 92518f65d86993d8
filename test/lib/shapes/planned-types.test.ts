/** The shapes and sizes for which a model is planned. */
import * as fc from 'fast-check';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { UnknownDimensions } from '../../../lib/shapes/bounds';
import { requestBytes, tensorBytes } from '../../../lib/shapes/value-types';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  FLOAT,
  INT64,
  attribute,
  external,
  floats,
  int64s,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
} from '../../support/model-builder';

analyzeFast();

interface Planned {
  readonly dimensions: Readonly<Record<string, number>>;
  readonly assumed: readonly string[];
  readonly bounded: readonly string[];
  readonly shapes: Readonly<Record<string, unknown>>;
  readonly elements: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
}

function planned(file: string, dimensions = {}): Planned {
  const { planned: found, model } = analyzeModel(file, { dimensions });
  const names = model.graph.values.map(({ name }) => name);
  const byName = <Item>(list: readonly Item[]) =>
    Object.fromEntries(list.map((item, index) => [names[index], item]));
  return {
    dimensions: found.dimensions,
    assumed: found.assumed,
    bounded: found.bounded.map((index) => names[index]),
    shapes: byName(found.types.map(({ shape }) => shape)),
    elements: byName(found.elements),
    bytes: byName(found.bytes),
  };
}

const cast = (from: string, to: string, type: number): NodeInit =>
  node('Cast', [from], [to], [attribute.int('to', type)]);
const transpose = (from: string, to: string, ...perm: number[]): NodeInit =>
  node('Transpose', [from], [to], [attribute.ints('perm', perm)]);

describe('planned shapes', () => {
  /** Reshapes [n, s, 8] to [n, s, 2, 4] with a shape that nodes compute, as exporters write attention. */
  const attention = modelOf(
    [
      node('Shape', ['x'], ['shape']),
      node('Gather', ['shape', 'zero'], ['n']),
      node('Gather', ['shape', 'one'], ['s']),
      node('Unsqueeze', ['n', 'axes'], ['n1']),
      node('Unsqueeze', ['s', 'axes'], ['s1']),
      node('Concat', ['n1', 's1', 'heads'], ['target'], [attribute.int('axis', 0)]),
      node('Reshape', ['x', 'target'], ['split']),
      transpose('split', 'turned', 0, 2, 1, 3),
    ],
    { x: ['batch', 'sequence', 8] },
    [int64s('zero', [0], []), int64s('one', [1], []), int64s('axes', [0]), int64s('heads', [2, 4])],
  );
  const fromWeights = modelOf(
    [
      node('Sqrt', ['squares'], ['roots']),
      cast('roots', 'target', INT64),
      node('Reshape', ['x', 'target'], ['y']),
    ],
    { x: [12] },
    [floats('squares', [2], [9, 16])],
  );
  const ofUnknownRank = modelOf(
    [
      node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
      node('Reshape', ['x', 'target'], ['any']),
      node('Add', ['any', 'sum'], ['y']),
    ],
    { x: [6], target: { type: INT64, dims: ['rank'] } },
  );
  const tanh = modelOf([node('Tanh', ['x'], ['y'])], { x: ['batch', 'sequence', 16] });
  /** A model that takes rows of 224 x 4 pixels only. */
  const strict = modelOf(
    [node('Reshape', ['x', 'target'], ['flat']), node('MatMul', ['flat', 'w'], ['y'])],
    { x: ['batch', 3, 'height', 4] },
    [int64s('target', [0, -1]), floats('w', [3 * 224 * 4, 2])],
  );
  /** ONNX Runtime loads it only without sizes. */
  const contradictory = modelOf(
    [node('MatMul', ['x', 'w'], ['y']), node('Tanh', ['y'], ['z'])],
    { x: ['batch', 'channels'] },
    [floats('w', [333, 2])],
  );

  test.each<[what: string, model: ModelInit, dimensions: object, expected: object]>([
    [
      'are known where nodes compute them from the shapes of inputs',
      attention,
      { sequence: 20 },
      { shapes: { turned: [1, 2, 20, 4] }, bytes: { turned: 1 * 2 * 20 * 4 * 4 }, bounded: [] },
    ],
    ['are known where nodes compute them from small weights', fromWeights, {}, { shapes: { y: [3, 4] } }],
    [
      'tell scalars from values of an unknown rank',
      ofUnknownRank,
      {},
      { shapes: { sum: [] }, elements: { sum: 1, any: 6, y: 6 } },
    ],
    [
      'have given sizes, and assumed ones for the rest',
      tanh,
      { batch: 8 },
      { dimensions: { batch: 8, sequence: 128 }, assumed: ['sequence'], shapes: { y: [8, 128, 16] } },
    ],
    ['assume nothing that is given', tanh, { batch: 8, sequence: 2 }, { assumed: [] }],
    [
      'have other sizes if ONNX Runtime refuses the model with those of the table',
      strict,
      {},
      { dimensions: { batch: 1, height: 224 }, shapes: { y: [1, 2] } },
    ],
    [
      'are found for any model that loads',
      contradictory,
      {},
      { dimensions: { batch: 1, channels: 3 }, elements: { z: 2 } },
    ],
  ])('%s', (_, model, dimensions, expected) => {
    expect(planned(saveModel(model), dimensions)).toMatchObject(expected);
  });

  test('do not need the weights of a model of 4 GiB', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), 2 ** 32);
    const model = modelOf(
      [
        transpose('w', 'turned', 1, 0),
        cast('turned', 'wide', 11),
        cast('wide', 'narrow', FLOAT),
        node('Shape', ['x'], ['shape']),
        node('Reshape', ['x', 'shape'], ['same']),
        node('MatMul', ['same', 'narrow'], ['y']),
      ],
      { x: ['batch', 2 ** 14] },
      [external('w', [2 ** 16, 2 ** 14])],
    );
    const { shapes } = planned(saveModel(model, 'model.onnx', folder), { batch: 3 });
    expect(shapes).toMatchObject({ same: [3, 2 ** 14], y: [3, 2 ** 16] });
  });

  test('depend on constants and defaults below 64 KiB, and not on larger ones', () => {
    const ofShape = (length: number, isNode: boolean): unknown => {
      const sizes = int64s('sizes', [...Array<number>(length - 1).fill(1), 5]);
      const nodes = [
        ...(isNode ? [node('Constant', [], ['sizes'], [attribute.tensor('value', sizes)])] : []),
        node('Slice', ['sizes', 'end', 'most'], ['last']),
        node('Abs', ['last'], ['target']),
        node('Expand', ['x', 'target'], ['y']),
      ];
      const inputs = { x: [1], ...(!isNode && { sizes: { type: INT64, dims: [length] } }) };
      const ends = [int64s('end', [-1]), int64s('most', [2 ** 31])];
      return planned(saveModel(modelOf(nodes, inputs, isNode ? ends : [...ends, sizes]))).shapes.y;
    };
    for (const isNode of [true, false]) {
      expect(ofShape(2 ** 13 - 1, isNode)).toEqual([5]);
      expect(ofShape(2 ** 13, isNode)).not.toEqual([5]);
    }
  });

  describe('that ONNX Runtime refuses', () => {
    /** A table of 4 positions is added to rows of `length`, then each row is multiplied by a weight of 8 x 32. */
    const limited = modelOf(
      [
        node('Shape', ['x'], ['shape']),
        node('Abs', ['shape'], ['computed']),
        node('Reshape', ['x', 'computed'], ['rows']),
        node('Add', ['rows', 'table'], ['placed']),
        node('MatMul', ['placed', 'w'], ['y']),
      ],
      { x: ['length', 8] },
      [floats('table', [4, 8]), floats('w', [8, 32])],
    );

    it('are estimates, and the reason is kept', () => {
      const { planned: found } = analyzeModel(saveModel(limited), { dimensions: { length: 5 } });
      expect(found.refusal).toMatch(/Incompatible dimensions/);
      expect(found.dimensions).toEqual({ length: 5 });
      const other = analyzeModel(saveModel(limited), { dimensions: { length: 4 } });
      expect(other.planned.refusal).toBeUndefined();
    });

    it('are named with their reason if the plan assumes others', () => {
      const { planned: found } = analyzeModel(saveModel(strict));
      expect(found.replaced?.usual).toEqual({ height: 4 });
      expect(found.replaced?.reason).toMatch(/dimension/i);
      expect(found.refusal).toBeUndefined();
    });
  });
});

describe('the elements of a tensor whose size depends on data', () => {
  const weights = [
    floats('w', [2, 7]),
    floats('wide', [10, 25]),
    int64s('three', [3, 1, 1]),
    int64s('all', [-1]),
  ];
  const places = node('NonZero', ['x'], ['places']);
  const reshape = node('Reshape', ['x', 'sizes'], ['a']);

  // The input `x` has 6 x 10 floats, and `sizes` two integers.
  test.each<[what: string, nodes: NodeInit[], elements: Record<string, number>]>([
    // A place is a row and a column.
    [
      'are at most those of the input that the node selects from',
      [places, node('Neg', ['places'], ['y'])],
      { places: 120, y: 120 },
    ],
    ['are those of the input that the node reshapes', [reshape], { a: 60 }],
    [
      'are at most those of all inputs that the node joins',
      [reshape, node('Concat', ['a', 'a', 'a'], ['y'], [attribute.int('axis', 0)])],
      { y: 180 },
    ],
    [
      'are estimated as those of the largest input when the node computes a size from data',
      [node('Expand', ['x', 'sizes'], ['a']), node('ConstantOfShape', ['sizes'], ['y'])],
      { a: 60, y: 60 },
    ],
    // 60 places of two numbers each become 60 of seven.
    [
      'keep the unknown part of an input when the node changes the known one',
      [
        places,
        transpose('places', 'turned', 1, 0),
        cast('turned', 'rows', FLOAT),
        node('MatMul', ['rows', 'w'], ['z']),
        node('Reshape', ['z', 'all'], ['flat']),
        node('Tanh', ['flat'], ['y']),
      ],
      { z: 420, flat: 420, y: 420 },
    ],
    // 60 numbers are 6 rows of ten, and each becomes a row of 25.
    [
      'are those of the rows of a product, also when all dimensions of its input are unknown',
      [reshape, node('MatMul', ['a', 'wide'], ['y'])],
      { y: 150 },
    ],
    [
      'do not count a dimension twice that is known of the result and not of the input',
      [reshape, node('Gemm', ['a', 'wide'], ['y'])],
      { y: 60 },
    ],
    [
      'do not multiply when a value has two such sizes at once',
      [node('Slice', ['x', 'from', 'sizes'], ['part']), node('Tanh', ['part'], ['y'])],
      { part: 60, y: 60 },
    ],
    ['are exact when the size is a constant', [node('Expand', ['x', 'three'], ['y'])], { y: 180 }],
  ])('%s', (_, nodes, elements) => {
    const inputs = { x: [6, 10], sizes: { type: INT64, dims: [2] } };
    const file = saveModel(modelOf(nodes, inputs, [...weights, int64s('from', [0, 0])]));
    expect(planned(file).elements).toMatchObject(elements);
  });

  test('are bounded where a node makes them of known sizes', () => {
    const { shapes, bounded } = planned(
      saveModel(modelOf([places, transpose('places', 'turned', 1, 0)], { x: [4, 10] })),
    );
    expect(shapes.places).toEqual([2, null]);
    expect(bounded).toEqual(['places']);
  });

  test('are the boxes that NonMaxSuppression may select', () => {
    const model = modelOf(
      [node('NonMaxSuppression', ['boxes', 'scores', 'most', 'overlap'], ['picked'])],
      { boxes: [1, 100, 4], scores: [1, 8, 100] },
      [int64s('most', [5]), floats('overlap', [1], [0.5])],
    );
    expect(planned(saveModel(model)).elements.picked).toBe(5 * 8 * 3);
  });

  test('are those of all features that a FeatureVectorizer joins', () => {
    const names = Array.from({ length: 201 }, (_, index) => `f${index}`);
    const ones = attribute.ints('inputdimensions', Array<number>(201).fill(1));
    const joined = { ...node('FeatureVectorizer', names, ['y'], [ones]), domain: 'ai.onnx.ml' };
    const opsetImport = ['', 'ai.onnx.ml'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
    const inputs = Object.fromEntries(names.map((name) => [name, [1, 1]]));
    expect(planned(saveModel(modelOf([joined], inputs, [], { opsetImport }))).bytes.y).toBe(804);
  });

  test('are exact for the mask of a Dropout, of which ONNX Runtime infers no shape', () => {
    const model = modelOf([node('Dropout', ['x'], ['y', 'mask'])], { x: [6, 10] }, [], { opset: 7 });
    expect(planned(saveModel(model))).toMatchObject({ elements: { mask: 60 }, bounded: [] });
  });
});

describe('the bound of unknown dimensions', () => {
  test('is that of the groups of dimensions that values got at once', () => {
    const dimensions = new UnknownDimensions();
    for (const bound of [150, 100, 120]) dimensions.add(['a', 'b'], bound);
    dimensions.add(['c'], 2);
    const bounds = [['b', 'a'], ['a'], ['a', 'b', 'c'], [], ['a', 'd']].map((names) =>
      dimensions.bound(names),
    );
    expect(bounds).toEqual([100, 100, 200, 1, undefined]);
  });

  test('is the smallest of 200,000 groups', () => {
    const dimensions = new UnknownDimensions();
    for (let group = 0; group < 200_000; group++) dimensions.add(['a', `b${group}`], 300_000 - group);
    expect(dimensions.bound(['a'])).toBe(100_001);
  });

  test('is never below the true product', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    const groups = fc.array(fc.tuple(fc.nat(31), fc.integer({ min: 0, max: 5 })), { maxLength: 6 });
    fc.assert(
      fc.property(sizes, groups, fc.nat(31), (truth, added, asked) => {
        const namesOf = (mask: number) => truth.flatMap((_, index) => ((mask >> index) & 1 ? [index] : []));
        const product = (indexes: readonly number[]) => indexes.reduce((all, index) => all * truth[index], 1);
        const dimensions = new UnknownDimensions();
        for (const [mask, slack] of added)
          dimensions.add(namesOf(mask).map(String), product(namesOf(mask)) + slack);
        const names = namesOf(asked);
        const bound = dimensions.bound(names.map(String)) ?? Infinity;
        expect(bound).toBeGreaterThanOrEqual(product(names));
      }),
    );
  });
});

test.each([
  ['float32', 10, 40],
  ['bfloat16', 10, 20],
  ['int4', 3, 2],
  ['string', 3, 96],
  [undefined, 3, 12],
])('a tensor of %s with %d elements has %d bytes', (dtype, elements, bytes) => {
  expect(tensorBytes(dtype, elements)).toBe(bytes);
});

test('the bytes of a request count 1 for a dimension without a size', () => {
  const inputs = [
    { name: 'x', dtype: 'float32', shape: ['n', null, 3] },
    { name: 'y', dtype: 'int64', shape: [] },
  ];
  expect(requestBytes(inputs, { n: 2, 'x[1]': 5 })).toBe(2 * 5 * 3 * 4 + 8);
  expect(requestBytes(inputs, {})).toBe(3 * 4 + 8);
});
