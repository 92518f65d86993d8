import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import { plannedBytes, symbolicNames } from '../../../lib/shapes/value-types';
import type { ModelInit } from '../../support/model-builder';
import {
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
  const { types, cuts, model: parsed } = analyzeModel(saveModel(model), { dimensions });
  const entries = parsed.graph.values.map(
    ({ name }, index) => [name, { ...types[index], bytes: cuts.bytes[index] }] as const,
  );
  return Object.fromEntries(entries);
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

  test('holds one answer per graph and dimensions, and returns the same types', () => {
    const first = typesOf(mlp(2));
    expect(typesOf(mlp(2))).toEqual(first);
    expect(answers()).toHaveLength(1);
    typesOf(mlp(2), { batch: 4 });
    expect(answers()).toHaveLength(2);
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

describe('planned sizes', () => {
  test('use the given dimensions and 1 for the others', () => {
    expect(typesOf(mlp(1)).m0.bytes).toBe(64);
    expect(typesOf(mlp(1), { batch: 8 }).m0.bytes).toBe(512);
  });

  test('count an unknown size as the largest given dimension', () => {
    const types = [
      { dtype: 'float32', shape: [null, 2] },
      { dtype: 'float32', shape: null },
      { dtype: 'string', shape: [3] },
      { shape: null },
    ];
    expect(plannedBytes(types, { width: 10 })).toEqual([80, 40, 96, 0]);
  });

  test('use names of the form x[1] for unnamed dimensions', () => {
    expect(
      symbolicNames([
        { name: 'x', shape: ['n', null, 3, null] },
        { name: 'y', shape: ['n'] },
      ]),
    ).toEqual(['n', 'x[1]', 'x[3]']);
  });

  test.each([
    [
      { depth: 1 },
      "a dimension must be a symbolic dimension of the model's inputs (batch), got 'depth': use one of these names",
    ],
    [
      { batch: 0 },
      "the size of dimension 'batch' must be a whole number of 1 or more, got 0: use the size that requests will have",
    ],
  ])('cannot be computed with the dimensions %j', (dimensions, message) => {
    expect(() => typesOf(mlp(1), dimensions)).toThrow(message);
  });
});

describe('the signature of the model', () => {
  test.each([
    [
      'input',
      {
        node: [node('Cast', ['x'], ['y'], [attribute.int('to', FLOAT)])],
        input: [value('x', BFLOAT16, [2])],
        output: [value('y', FLOAT)],
      },
    ],
    [
      'output',
      {
        node: [node('Cast', ['x'], ['y'], [attribute.int('to', BFLOAT16)])],
        input: [value('x', FLOAT, [2])],
        output: [value('y', BFLOAT16)],
      },
    ],
  ])('cannot have an %s of a type that JavaScript cannot pass', (kind, graph) => {
    const name = kind === 'input' ? 'x' : 'y';
    expect(() => typesOf({ graph })).toThrow(
      `${kind} '${name}' must be a tensor that ONNX Runtime's JavaScript API can pass, got bfloat16: convert it inside the model`,
    );
  });

  test('cannot consist of outputs that are inputs', () => {
    const graph = { node: [], input: [value('x', FLOAT, [2])], output: [value('x', FLOAT, [2])] };
    expect(() => typesOf({ graph })).toThrow(
      'the model must compute at least one output, got outputs that are its inputs: export the model again',
    );
  });
});
