/** The shapes and sizes for which a model is planned. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
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

function planned(file: string, dimensions = {}) {
  const { planned: found, model } = analyzeModel(file, { dimensions, inputs: false });
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

describe('planned shapes', () => {
  /** Reshapes [n, s, 8] to [n, s, 2, 4] with a shape that nodes compute, as exporters write attention. */
  const attention = modelOf(
    nodesOf(`
      Shape x > shape; Gather shape zero > n; Gather shape one > s; Unsqueeze n axes > n1;
      Unsqueeze s axes > s1; Concat n1 s1 heads > target axis=0; Reshape x target > split;
      Transpose split > turned perm=[0,2,1,3]`),
    { x: ['batch', 'sequence', 8] },
    [int64s('zero', [0], []), int64s('one', [1], []), int64s('axes', [0]), int64s('heads', [2, 4])],
  );
  const ofUnknownRank = modelOf(
    nodesOf('ReduceSum x > sum keepdims=0; Reshape x target > any; Add any sum > y'),
    { x: [6], target: { type: INT64, dims: ['rank'] } },
  );
  const tanh = modelOf(nodesOf('Tanh x > y'), { x: ['batch', 'sequence', 16] });
  /** A model that takes rows of 224 x 4 pixels only. */
  const strict = modelOf(
    nodesOf('Reshape x target > flat; MatMul flat w > y'),
    { x: ['batch', 3, 'height', 4] },
    [int64s('target', [0, -1]), floats('w', [3 * 224 * 4, 2])],
  );
  /** ONNX Runtime loads it only without sizes. */
  const contradictory = modelOf(nodesOf('MatMul x w > y; Tanh y > z'), { x: ['batch', 'channels'] }, [
    floats('w', [333, 2]),
  ]);

  const ofAttention = { shapes: { turned: [1, 2, 20, 4] }, bytes: { turned: 1 * 2 * 20 * 4 * 4 } };
  const all = { dimensions: { batch: 8, sequence: 128 }, assumed: ['sequence'], shapes: { y: [8, 128, 16] } };
  test.each<[what: string, model: ModelInit, dimensions: object, expected: object]>([
    ['are known where nodes compute them from input shapes', attention, { sequence: 20 }, ofAttention],
    ['tell scalars from values of an unknown rank', ofUnknownRank, {}, { shapes: { sum: [] } }],
    ['have given sizes, and assumed ones for the rest', tanh, { batch: 8 }, all],
    // ONNX Runtime refuses the model with the sizes of the table.
    ['have other sizes', strict, {}, { dimensions: { batch: 1, height: 224 }, shapes: { y: [1, 2] } }],
    ['are found for any model that loads', contradictory, {}, { elements: { z: 2 } }],
  ])('%s', (_, model, dimensions, expected) => {
    expect(planned(saveModel(model), dimensions)).toMatchObject(expected);
  });

  test('do not need the weights of a model of 4 GiB', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), 2 ** 32);
    const model = modelOf(
      nodesOf(`
        Transpose w > turned perm=[1,0]; Cast turned > wide to=11; Cast wide > narrow to=1;
        Shape x > shape; Reshape x shape > same; MatMul same narrow > y`),
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
        ...nodesOf('Slice sizes end most > last; Abs last > target; Expand x target > y'),
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

  /** A table of 4 positions is added to rows of `length`, then each row is multiplied by a weight of 8 x 32. */
  const limited = modelOf(
    nodesOf(`
        Shape x > shape; Abs shape > computed; Reshape x computed > rows; Add rows table > placed;
        MatMul placed w > y`),
    { x: ['length', 8] },
    [floats('table', [4, 8]), floats('w', [8, 32])],
  );

  it('that ONNX Runtime refuses are estimates, and the reason is kept', () => {
    const { planned: found } = analyzeModel(saveModel(limited), { dimensions: { length: 5 } });
    expect(found.refusal).toMatch(/Incompatible dimensions/);
    expect(found.dimensions).toEqual({ length: 5 });
    const other = analyzeModel(saveModel(limited), { dimensions: { length: 4 } });
    expect(other.planned.refusal).toBeUndefined();
  });
});

describe('the elements of a tensor whose size depends on data', () => {
  const weights = [floats('w', [2, 7]), int64s('three', [3, 1, 1]), int64s('all', [-1])];
  const rows =
    'NonZero x > places; Transpose places > turned perm=[1,0]; Cast turned > rows to=1; MatMul rows w > z; ' +
    'Reshape z all > flat; Tanh flat > y';

  // The input `x` has 6 x 10 floats, and `sizes` two integers.
  test.each<[what: string, nodes: string, elements: Record<string, number>]>([
    // A place is a row and a column.
    ['are at most those that it selects from', 'NonZero x > places; Neg places > y', { places: 120, y: 120 }],
    ['are those of the input that the node reshapes', 'Reshape x sizes > a', { a: 60 }],
    ['are at most those of all joined inputs', 'Reshape x sizes > a; Concat a a a > y axis=0', { y: 180 }],
    [
      'are estimated as those of the largest input if data decide',
      'Expand x sizes > a; ConstantOfShape sizes > y',
      { a: 60, y: 60 },
    ],
    // 60 places of two numbers each become 60 of seven.
    ['keep the unknown part if the known one changes', rows, { z: 420, flat: 420, y: 420 }],
    ['are exact when the size is a constant', 'Expand x three > y', { y: 180 }],
  ])('%s', (_, nodes, elements) => {
    const inputs = { x: [6, 10], sizes: { type: INT64, dims: [2] } };
    const file = saveModel(modelOf(nodesOf(nodes), inputs, weights));
    expect(planned(file).elements).toMatchObject(elements);
  });

  test('are bounded where a node makes them of known sizes', () => {
    const nodes = nodesOf('NonZero x > places; Transpose places > turned perm=[1,0]');
    expect(planned(saveModel(modelOf(nodes, { x: [4, 10] }))).bounded).toEqual(['places']);
  });

  test('are those of all boxes and classes before NonMaxSuppression selects some', () => {
    const model = modelOf(
      nodesOf('NonMaxSuppression boxes scores most overlap > picked'),
      { boxes: [1, 100, 4], scores: [1, 8, 100] },
      [int64s('most', [5]), floats('overlap', [1], [0.5])],
    );
    expect(planned(saveModel(model)).elements.picked).toBe(100 * 8 * 3);
  });
});
