import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import {
  type ModelInit,
  BFLOAT16,
  FLOAT,
  attribute,
  floats,
  int64s,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env[CACHE_VARIABLE] = cache;
});
afterAll(() => {
  Reflect.deleteProperty(process.env, CACHE_VARIABLE);
});

function typesOf(model: ModelInit, dimensions = {}) {
  const { types, model: parsed } = analyzeModel(saveModel(model), { dimensions });
  return Object.fromEntries(parsed.graph.values.map(({ name }, index) => [name, types[index]]));
}

describe('types', () => {
  test('are inferred by ONNX Runtime, with symbolic dimensions by name', () => {
    const types = typesOf(mlp(1));
    expect(types.m0).toMatchObject({ dtype: 'float32', shape: ['batch', 16] });
    expect(types.w0).toMatchObject({ dtype: 'float32', shape: [16, 16] });
  });

  test('depend on the values of small constants', () => {
    const graph = {
      node: [node('Reshape', ['x', 'shape'], ['r']), node('Abs', ['r'], ['y'])],
      initializer: [int64s('shape', [2, 3, 4])],
      input: [value('x', FLOAT, [24])],
      output: [value('y', FLOAT)],
    };
    expect(typesOf({ graph }).r.shape).toEqual([2, 3, 4]);
  });

  test('do not rely on the declared types of the outputs', () => {
    const graph = {
      node: [node('Transpose', ['x'], ['y'])],
      input: [value('x', FLOAT, [2, 5])],
      output: [value('y', FLOAT, [77, 77])],
    };
    expect(typesOf({ graph }).y.shape).toEqual([5, 2]);
  });

  test('include types that JavaScript cannot pass', () => {
    const cast = (to: number) => [attribute.int('to', to)];
    const graph = {
      node: [
        node('Cast', ['x'], ['b'], cast(BFLOAT16)),
        node('Cast', ['b'], ['c'], cast(FLOAT)),
        node('SequenceConstruct', ['c', 'c'], ['s']),
        node('ConcatFromSequence', ['s'], ['y'], [attribute.int('axis', 0)]),
      ],
      input: [value('x', FLOAT, [2])],
      output: [value('y', FLOAT)],
    };
    const types = typesOf({ graph });
    expect(types.b.dtype).toBe('bfloat16');
    expect(types.s.dtype).toBeUndefined();
    expect(types.c.dtype).toBe('float32');
  });

  test('are inferred without reading 4 GiB of weights', () => {
    const folder = temporaryFolder();
    const bytes = 2 ** 32;
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), bytes);
    const graph = {
      node: [node('Gather', ['w', 'i'], ['y'])],
      initializer: [
        {
          name: 'w',
          dataType: FLOAT,
          dims: [2 ** 16, 2 ** 14],
          dataLocation: 1,
          externalData: [{ key: 'location', value: 'w.bin' }],
        },
      ],
      input: [value('i', 7, ['n'])],
      output: [value('y', FLOAT)],
    };
    const { types, model } = analyzeModel(saveModel({ graph }, 'model.onnx', folder));
    expect(types[model.graph.outputs[0].value].shape).toEqual(['n', 2 ** 14]);
  });

  test('tell scalars from values of an unknown rank', () => {
    const graph = {
      node: [
        node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
        node('Reshape', ['x', 'target'], ['any']),
        node('Add', ['any', 'sum'], ['y']),
      ],
      input: [value('x', FLOAT, [6]), value('target', 7, ['rank'])],
      output: [value('y', FLOAT)],
    };
    const types = typesOf({ graph });
    expect(types.sum.shape).toEqual([]);
    expect(types.y.shape).toBeNull();
  });

  test('cannot be inferred for an unknown operator, and the error quotes ONNX Runtime', () => {
    const graph = {
      node: [node('Frobnicate', ['x'], ['y'])],
      input: [value('x', FLOAT, [2])],
      output: [value('y', FLOAT)],
    };
    expect(() => typesOf({ graph })).toThrow(
      /must load in ONNX Runtime 1\.30\.0, got .*Frobnicate.*: check that it runs there without slicing$/,
    );
  });
});

describe('the cache', () => {
  const answers = () => fs.readdirSync(path.join(cache, 'types'));

  /** Shapes with an unknown size, for which ONNX Runtime is asked twice: without sizes, and with constants folded. */
  function computedShape(weight: number) {
    const graph = {
      node: [
        node('Cast', ['w'], ['target'], [attribute.int('to', 7)]),
        node('Reshape', ['x', 'target'], ['y']),
      ],
      initializer: [floats('w', [2], [weight, -1])],
      input: [value('x', FLOAT, ['batch', 12])],
      output: [value('y', FLOAT)],
    };
    return { graph };
  }

  test('holds an answer with folded constants for each set of sizes, and for each set of weights', () => {
    const shape = (weight: number, batch: number) => {
      const { planned, model } = analyzeModel(saveModel(computedShape(weight)), { dimensions: { batch } });
      return planned.types[model.graph.outputs[0].value].shape;
    };
    expect(shape(3, 1)).toEqual([3, 4]);
    expect(answers()).toHaveLength(2);
    expect(shape(3, 2)).toEqual([3, 8]);
    expect(answers()).toHaveLength(3);
    expect(shape(6, 2)).toEqual([6, 4]);
    expect(shape(3, 1)).toEqual([3, 4]);
    expect(answers()).toHaveLength(5);
  });

  test('holds one answer per graph if all shapes follow from it, and returns the same types', () => {
    const first = typesOf(mlp(2));
    expect(typesOf(mlp(2))).toEqual(first);
    typesOf(mlp(2), { batch: 4 });
    expect(answers()).toHaveLength(1);
  });

  test('holds one answer for models that differ only in weights', () => {
    typesOf(mlp(1));
    const { graph } = mlp(1);
    typesOf({
      graph: {
        ...graph,
        initializer: [floats('w0', [16, 16], Array(256).fill(7)), ...(graph.initializer ?? []).slice(1)],
      },
    });
    expect(answers()).toHaveLength(1);
  });

  test('replaces a damaged answer', () => {
    const first = typesOf(mlp(1));
    fs.writeFileSync(path.join(cache, 'types', answers()[0]), '{"outp');
    expect(typesOf(mlp(1))).toEqual(first);
  });

  test('is not needed: types are the same when it is disabled or not writable', () => {
    process.env[CACHE_VARIABLE] = '';
    const first = typesOf(mlp(1));
    process.env[CACHE_VARIABLE] = path.join(saveModel(mlp(1)), 'below-a-file');
    expect(typesOf(mlp(1))).toEqual(first);
    expect(fs.readdirSync(cache)).toEqual([]);
  });
});
