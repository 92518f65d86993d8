/** What the library asks ONNX Runtime about types, how often, and what it remembers. */
import childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import type { InferJob } from '../../../lib/shapes/infer-child';
import { nodesOf } from '../../support/graph-text';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  choice,
  floats,
  mlp,
  modelOf,
  saveModel,
  temporaryFolder,
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

test('types include those that JavaScript cannot pass', () => {
  const nodes = nodesOf('Cast x > b to=16; Cast b > c to=1; SequenceConstruct c c > s; SequenceLength s > y');
  const types = { b: { dtype: 'bfloat16' }, c: { dtype: 'float32' }, s: { shape: null } };
  expect(typesOf(modelOf(nodes, { x: [2] }))).toMatchObject(types);
});

const answers = () => fs.readdirSync(path.join(cache, 'types'));

test('the cache holds an answer with folded constants for each set of sizes, and for each set of weights', () => {
  // ONNX Runtime is asked twice: without sizes, and with constants folded.
  const shape = (weight: number, batch: number) => {
    const computed = modelOf(nodesOf('Cast w > target to=7; Reshape x target > y'), { x: ['batch', 12] }, [
      floats('w', [2], [weight, -1]),
    ]);
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

test('the cache holds one answer for each graph if all shapes follow from it, whatever the sizes', () => {
  expect(typesOf(mlp(2))).toEqual(typesOf(mlp(2), { batch: 4 }));
  expect(answers()).toHaveLength(1);
});

test('the cache is not needed: types are the same when it is disabled or not writable', () => {
  process.env[CACHE_VARIABLE] = '';
  const first = typesOf(mlp(1));
  process.env[CACHE_VARIABLE] = path.join(saveModel(mlp(1)), 'below-a-file');
  expect(typesOf(mlp(1))).toEqual(first);
  expect(fs.readdirSync(cache)).toEqual([]);
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
    nodesOf('Shape x > shape; Abs shape > computed; Reshape x computed > same; Tanh same > y'),
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
});

const branches = modelOf(
  [choice('c', 'r', nodesOf('Neg x > a'), nodesOf('Abs x > b')), ...nodesOf('Tanh r > y')],
  { x: [2], c: { type: BOOL, dims: [] } },
);

it('a question about the shapes that slices declare is asked once if ONNX Runtime hangs', () => {
  let questions = 0;
  const timeouts = answerInstead(() => (questions++ === 0 ? 'ask' : 'hang'));
  const { provenShapes, model } = analyzeModel(saveModel(branches));
  expect(timeouts).toHaveLength(1);
  expect(provenShapes[model.graph.values.findIndex(({ name }) => name === 'x')]).toEqual([2]);
});
