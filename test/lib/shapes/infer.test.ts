/** What the library asks ONNX Runtime about types, how often, and what it remembers. */
import childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import type { InferJob } from '../../../lib/shapes/infer-child';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BFLOAT16,
  BOOL,
  FLOAT,
  attribute,
  choice,
  floats,
  int64s,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

readFreshFilesAtOnce();

const { spawnSync } = childProcess;
let cache: string;
beforeEach(() => {
  cache = process.env[CACHE_VARIABLE] = temporaryFolder();
});
afterEach(() => {
  Object.assign(childProcess, { spawnSync });
  jest.spyOn(performance, 'now').mockRestore();
});
afterAll(() => {
  Reflect.deleteProperty(process.env, CACHE_VARIABLE);
});

function typesOf(model: ModelInit, dimensions = {}) {
  const { types, model: parsed } = analyzeModel(saveModel(model), { dimensions });
  return Object.fromEntries(parsed.graph.values.map(({ name }, index) => [name, types[index]]));
}

const cast = (from: string, to: string, type: number) =>
  node('Cast', [from], [to], [attribute.int('to', type)]);

describe('types', () => {
  test.each<[what: string, model: ModelInit, types: object]>([
    [
      'are inferred by ONNX Runtime, with symbolic dimensions by name',
      mlp(1),
      { m0: { dtype: 'float32', shape: ['batch', 16] }, w0: { dtype: 'float32', shape: [16, 16] } },
    ],
    [
      'depend on the values of small constants',
      modelOf([node('Reshape', ['x', 'shape'], ['y'])], { x: [24] }, [int64s('shape', [2, 3, 4])]),
      { y: { shape: [2, 3, 4] } },
    ],
    [
      'do not rely on the declared types of the outputs',
      {
        graph: {
          node: [node('Transpose', ['x'], ['y'])],
          input: [value('x', FLOAT, [2, 5])],
          output: [value('y', FLOAT, [77, 77])],
        },
      },
      { y: { shape: [5, 2] } },
    ],
    [
      'include types that JavaScript cannot pass',
      modelOf(
        [
          cast('x', 'b', BFLOAT16),
          cast('b', 'c', FLOAT),
          node('SequenceConstruct', ['c', 'c'], ['s']),
          node('ConcatFromSequence', ['s'], ['y'], [attribute.int('axis', 0)]),
        ],
        { x: [2] },
      ),
      { b: { dtype: 'bfloat16' }, c: { dtype: 'float32' }, s: { shape: null } },
    ],
  ])('%s', (_, model, types) => {
    expect(typesOf(model)).toMatchObject(types);
  });

  test('cannot be inferred for an unknown operator, and the error quotes ONNX Runtime', () => {
    expect(() => typesOf(modelOf([node('Frobnicate', ['x'], ['y'])], { x: [2] }))).toThrow(
      /must load in ONNX Runtime 1\.30\.0, got .*Frobnicate.*: check that it runs there without slicing$/,
    );
  });
});

describe('the cache', () => {
  const answers = () => fs.readdirSync(path.join(cache, 'types'));

  test('holds an answer with folded constants for each set of sizes, and for each set of weights', () => {
    // ONNX Runtime is asked twice: without sizes, and with constants folded.
    const shape = (weight: number, batch: number) => {
      const computed = modelOf(
        [cast('w', 'target', 7), node('Reshape', ['x', 'target'], ['y'])],
        { x: ['batch', 12] },
        [floats('w', [2], [weight, -1])],
      );
      const { planned, model } = analyzeModel(saveModel(computed), { dimensions: { batch } });
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

  test('holds one answer for each graph if all shapes follow from it, whatever the sizes and weights', () => {
    const first = typesOf(mlp(2));
    expect(typesOf(mlp(2))).toEqual(first);
    typesOf(mlp(2), { batch: 4 });
    const { graph } = mlp(2);
    const initializer = (graph.initializer ?? []).with(0, floats('w0', [16, 16], Array(256).fill(7)));
    typesOf({ graph: { ...graph, initializer } });
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

/** Answers questions in place of ONNX Runtime, unless `answer` returns 'ask'. Returns the time limits of the questions, in ms. */
function answerInstead(answer: (job: InferJob) => { readonly error: string } | 'hang' | 'ask'): number[] {
  const timeouts: number[] = [];
  const substitute = (command: string, args: readonly string[], options: { timeout: number }): unknown => {
    const found = answer(JSON.parse(fs.readFileSync(args[1], 'utf8')) as InferJob);
    if (found === 'ask') return spawnSync(command, args, { ...options, encoding: 'utf8' });
    timeouts.push(options.timeout);
    if (found !== 'hang') return { status: 0, signal: null, stdout: JSON.stringify(found), stderr: '' };
    const error = Object.assign(new Error('spawnSync ETIMEDOUT'), { code: 'ETIMEDOUT' });
    return { status: null, signal: 'SIGKILL', stdout: '', stderr: '', error };
  };
  Object.assign(childProcess, { spawnSync: substitute });
  return timeouts;
}

describe('a question about the sizes of a model', () => {
  /** Sizes of its tensors are known only after folding. It has nine sets of sizes to try. */
  const picture = modelOf(
    [
      node('Shape', ['x'], ['shape']),
      node('Abs', ['shape'], ['computed']),
      node('Reshape', ['x', 'computed'], ['same']),
      node('Tanh', ['same'], ['y']),
    ],
    { x: ['batch', 3, 'height', 'width'], ids: ['batch', 'past'] },
    [floats('unused', [1])],
  );

  it('is not asked with other sizes after ONNX Runtime has hung', () => {
    const timeouts = answerInstead(({ foldsConstants }) => (foldsConstants ? 'hang' : 'ask'));
    const { planned } = analyzeModel(saveModel(picture));
    expect(timeouts).toHaveLength(1);
    expect(planned.refusal).toBe('no answer within 60 s');
    expect(planned.dimensions).toMatchObject({ height: 640, width: 640 });
  });

  it('has with all sizes together the time limit of one', () => {
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const timeouts = answerInstead(({ foldsConstants }) => {
      if (!foldsConstants) return 'ask';
      now += 25_000;
      return { error: 'too slow' };
    });
    const { planned } = analyzeModel(saveModel(picture));
    // A minute, and 10 ms for each of the four nodes.
    expect(timeouts).toEqual([60_040, 35_040, 10_040]);
    expect(planned.refusal).toBe('too slow');
  });

  it.each([
    ['not asked again if ONNX Runtime has refused the sizes', 'wrong sizes', 1],
    ['asked again if ONNX Runtime had no memory', 'bad allocation', 2],
  ])('is %s', (_, error, times) => {
    const timeouts = answerInstead(({ foldsConstants }) => (foldsConstants ? { error } : 'ask'));
    const file = saveModel(picture);
    const first = analyzeModel(file).planned;
    const asked = timeouts.length;
    expect(asked).toBeGreaterThan(3);
    expect(analyzeModel(file).planned).toEqual(first);
    expect(first.refusal).toBe(error);
    expect(timeouts).toHaveLength(times * asked);
  });
});

describe('a question about the shapes that slices declare', () => {
  const branches = modelOf(
    [choice('c', 'r', [node('Neg', ['x'], ['a'])], [node('Abs', ['x'], ['b'])]), node('Tanh', ['r'], ['y'])],
    { x: [2], c: { type: BOOL, dims: [] } },
  );

  it('is asked once if ONNX Runtime hangs', () => {
    let questions = 0;
    const timeouts = answerInstead(() => (questions++ === 0 ? 'ask' : 'hang'));
    const { provenShapes, model } = analyzeModel(saveModel(branches));
    expect(timeouts).toHaveLength(1);
    expect(provenShapes[model.graph.values.findIndex(({ name }) => name === 'x')]).toEqual([2]);
  });

  it('is not asked again if ONNX Runtime has refused it', () => {
    let questions = 0;
    const timeouts = answerInstead(() => (questions++ === 0 ? 'ask' : { error: 'no declarations' }));
    const file = saveModel(branches);
    analyzeModel(file);
    const asked = timeouts.length;
    expect(asked).toBeGreaterThan(0);
    analyzeModel(file);
    expect(timeouts).toHaveLength(asked);
  });
});
