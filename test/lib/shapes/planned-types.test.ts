import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type NodeInit,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

analyzeFast();

interface Planned {
  readonly dimensions: object;
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

function plannedGraph(
  graph: Partial<GraphInit> & { readonly node: readonly NodeInit[] },
  dimensions = {},
): Planned {
  const last = graph.node[graph.node.length - 1].output[0];
  return planned(saveModel({ graph: { output: [value(last, FLOAT)], ...graph } }), dimensions);
}

/** Reshapes [n, s, 8] to [n, s, 2, 4] with a shape that nodes compute, as exporters write attention. */
const COMPUTED_RESHAPE = [
  node('Shape', ['x'], ['shape']),
  node('Gather', ['shape', 'zero'], ['n']),
  node('Gather', ['shape', 'one'], ['s']),
  node('Unsqueeze', ['n', 'axes'], ['n1']),
  node('Unsqueeze', ['s', 'axes'], ['s1']),
  node('Concat', ['n1', 's1', 'heads'], ['target'], [attribute.int('axis', 0)]),
  node('Reshape', ['x', 'target'], ['split']),
  node('Transpose', ['split'], ['turned'], [attribute.ints('perm', [0, 2, 1, 3])]),
];
const COMPUTED_CONSTANTS = [
  int64s('zero', [0], []),
  int64s('one', [1], []),
  int64s('axes', [0]),
  int64s('heads', [2, 4]),
];

describe('planned shapes', () => {
  test('are known where nodes compute them from the shapes of inputs', () => {
    const { shapes, bytes, bounded } = plannedGraph(
      {
        node: COMPUTED_RESHAPE,
        initializer: COMPUTED_CONSTANTS,
        input: [value('x', FLOAT, ['batch', 'sequence', 8])],
      },
      { sequence: 20 },
    );
    expect(shapes.turned).toEqual([1, 2, 20, 4]);
    expect(bytes.turned).toBe(1 * 2 * 20 * 4 * 4);
    expect(bounded).toEqual([]);
  });

  test('are known where nodes compute them from small weights', () => {
    const { shapes } = plannedGraph({
      node: [
        node('Sqrt', ['squares'], ['roots']),
        node('Cast', ['roots'], ['target'], [attribute.int('to', INT64)]),
        node('Reshape', ['x', 'target'], ['y']),
      ],
      initializer: [floats('squares', [2], [9, 16])],
      input: [value('x', FLOAT, [12])],
    });
    expect(shapes.y).toEqual([3, 4]);
  });

  test('do not need the weights of a model of 4 GiB', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), 2 ** 32);
    const graph = {
      node: [
        node('Transpose', ['w'], ['turned'], [attribute.ints('perm', [1, 0])]),
        node('Cast', ['turned'], ['wide'], [attribute.int('to', 11)]),
        node('Cast', ['wide'], ['narrow'], [attribute.int('to', FLOAT)]),
        node('Shape', ['x'], ['shape']),
        node('Reshape', ['x', 'shape'], ['same']),
        node('MatMul', ['same', 'narrow'], ['y']),
      ],
      initializer: [
        {
          name: 'w',
          dataType: FLOAT,
          dims: [2 ** 16, 2 ** 14],
          dataLocation: 1,
          externalData: [{ key: 'location', value: 'w.bin' }],
        },
      ],
      input: [value('x', FLOAT, ['batch', 2 ** 14])],
      output: [value('y', FLOAT)],
    };
    const { shapes } = planned(saveModel({ graph }, 'model.onnx', folder), { batch: 3 });
    expect(shapes.same).toEqual([3, 2 ** 14]);
    expect(shapes.y).toEqual([3, 2 ** 16]);
  });

  test('tell scalars from values of an unknown rank', () => {
    const { shapes, elements, bounded } = plannedGraph({
      node: [
        node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
        node('Reshape', ['x', 'target'], ['any']),
        node('Add', ['any', 'sum'], ['y']),
      ],
      input: [value('x', FLOAT, [6]), value('target', INT64, ['rank'])],
    });
    expect(shapes.sum).toEqual([]);
    expect(elements.sum).toBe(1);
    expect(shapes.any).not.toEqual([]);
    expect(elements.any).toBe(6);
    expect(elements.y).toBe(6);
    expect(bounded).toContain('any');
  });
});

describe('a size that depends on data', () => {
  const selected = (nodes: readonly NodeInit[]) =>
    plannedGraph({
      node: [node('NonZero', ['x'], ['places']), ...nodes],
      initializer: [floats('w', [2, 5]), int64s('minus', [-1])],
      input: [value('x', FLOAT, [4, 10])],
    });

  test('is bounded by the elements of the input and named once', () => {
    const { elements, bounded, shapes } = selected([node('Transpose', ['places'], ['turned'])]);
    expect(shapes.places).toEqual([2, null]);
    expect(elements.places).toBe(2 * 40);
    expect(elements.turned).toBe(2 * 40);
    expect(bounded).toEqual(['places']);
  });

  test('keeps its bound through later nodes', () => {
    const { elements } = selected([
      node('Transpose', ['places'], ['turned']),
      node('Cast', ['turned'], ['numbers'], [attribute.int('to', FLOAT)]),
      node('MatMul', ['numbers', 'w'], ['wide']),
      node('Reshape', ['wide', 'minus'], ['flat']),
      node('Tanh', ['flat'], ['y']),
    ]);
    expect(elements.wide).toBe(40 * 5);
    expect(elements.flat).toBe(200);
    expect(elements.y).toBe(200);
  });

  test('does not multiply when a value has two such sizes at once', () => {
    const { elements } = plannedGraph({
      node: [node('Slice', ['x', 'from', 'to'], ['part']), node('Tanh', ['part'], ['y'])],
      initializer: [int64s('from', [0, 0])],
      input: [value('x', FLOAT, [30, 40]), value('to', INT64, [2])],
    });
    expect(elements.part).toBe(1200);
    expect(elements.y).toBe(1200);
  });

  test('counts for NonMaxSuppression the boxes that it may select', () => {
    const { elements } = plannedGraph({
      node: [node('NonMaxSuppression', ['boxes', 'scores', 'most', 'overlap'], ['picked'])],
      initializer: [int64s('most', [5]), floats('overlap', [1], [0.5])],
      input: [value('boxes', FLOAT, [1, 100, 4]), value('scores', FLOAT, [1, 8, 100])],
      output: [value('picked', INT64)],
    });
    expect(elements.picked).toBe(5 * 8 * 3);
  });
});

describe('planned dimensions', () => {
  test('have given sizes, and assumed ones for the rest', () => {
    const input = [value('x', FLOAT, ['batch', 'sequence', 16])];
    const graph = { node: [node('Tanh', ['x'], ['y'])], input };
    expect(plannedGraph(graph, { batch: 8 })).toMatchObject({
      dimensions: { batch: 8, sequence: 128 },
      assumed: ['sequence'],
      shapes: { y: [8, 128, 16] },
    });
    expect(planned(saveModel(mlp(1)), { batch: 8 }).assumed).toEqual([]);
  });

  test('have other sizes if ONNX Runtime refuses the model with those of the table', () => {
    const { dimensions, shapes } = plannedGraph({
      node: [node('Reshape', ['x', 'target'], ['flat']), node('MatMul', ['flat', 'w'], ['y'])],
      initializer: [int64s('target', [0, -1]), floats('w', [3 * 224 * 4, 2])],
      input: [value('x', FLOAT, ['batch', 3, 'height', 4])],
    });
    expect(dimensions).toEqual({ batch: 1, height: 224 });
    expect(shapes.y).toEqual([1, 2]);
  });

  test('never refuse a model that loads', () => {
    const { dimensions, elements } = plannedGraph({
      node: [node('MatMul', ['x', 'w'], ['y']), node('Tanh', ['y'], ['z'])],
      initializer: [floats('w', [333, 2])],
      input: [value('x', FLOAT, ['batch', 'channels'])],
    });
    expect(dimensions).toEqual({ batch: 1, channels: 3 });
    expect(elements.z).toBe(2);
  });
});

describe('sizes that ONNX Runtime refuses', () => {
  /** A table of 4 positions is added to rows of `length`, then each row is multiplied by a weight of 8 x 32. */
  const file = (): string =>
    saveModel({
      graph: {
        node: [
          node('Shape', ['x'], ['shape']),
          node('Abs', ['shape'], ['computed']),
          node('Reshape', ['x', 'computed'], ['rows']),
          node('Add', ['rows', 'table'], ['placed']),
          node('MatMul', ['placed', 'w'], ['y']),
        ],
        initializer: [floats('table', [4, 8]), floats('w', [8, 32])],
        input: [value('x', FLOAT, ['length', 8])],
        output: [value('y', FLOAT, ['length', 32])],
      },
    });

  it('are planned with estimates, and the reason is kept', () => {
    const { planned: found } = analyzeModel(file(), { dimensions: { length: 5 } });
    expect(found.refusal).toMatch(/Incompatible dimensions/);
    expect(found.dimensions).toEqual({ length: 5 });
  });

  it('are named with their reason if the plan assumes others', () => {
    const { planned: found } = analyzeModel(
      saveModel({
        graph: {
          node: [node('Reshape', ['x', 'target'], ['flat']), node('MatMul', ['flat', 'w'], ['y'])],
          initializer: [int64s('target', [0, -1]), floats('w', [3 * 224 * 4, 2])],
          input: [value('x', FLOAT, ['batch', 3, 'height', 4])],
          output: [value('y', FLOAT)],
        },
      }),
    );
    expect(found.replaced?.usual).toEqual({ height: 4 });
    expect(found.dimensions).toEqual({ batch: 1, height: 224 });
    expect(found.replaced?.reason).toMatch(/dimension/i);
    expect(found.refusal).toBeUndefined();
  });

  it('have no reason if ONNX Runtime loads the model', () => {
    expect(analyzeModel(file(), { dimensions: { length: 4 } }).planned.refusal).toBeUndefined();
  });
});
