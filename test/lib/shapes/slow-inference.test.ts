/** How often the library asks ONNX Runtime again when it hangs or refuses. */
import childProcess from 'node:child_process';
import * as fs from 'node:fs';
import { analyzeModel } from '../../../lib/compile/analyze';
import type { InferJob } from '../../../lib/shapes/infer-child';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import {
  BOOL,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';

readFreshFilesAtOnce();

const { spawnSync } = childProcess;
const cache = process.env[CACHE_VARIABLE];
afterEach(() => {
  Object.assign(childProcess, { spawnSync });
  process.env[CACHE_VARIABLE] = cache;
  jest.restoreAllMocks();
});

type Answer = { readonly error: string } | 'hang' | 'ask';

/** Answers questions in place of ONNX Runtime. Returns the time limits of the questions, in ms. */
function answerInstead(answer: (job: InferJob) => Answer): { readonly timeouts: number[] } {
  process.env[CACHE_VARIABLE] = temporaryFolder();
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
  return { timeouts };
}

/** Sizes of its tensors are known only after folding. It has nine sets of sizes to try. */
const picture = (): string =>
  saveModel({
    graph: {
      node: [
        node('Shape', ['x'], ['shape']),
        node('Abs', ['shape'], ['computed']),
        node('Reshape', ['x', 'computed'], ['same']),
        node('Tanh', ['same'], ['y']),
      ],
      initializer: [floats('unused', [1])],
      input: [value('x', FLOAT, ['batch', 3, 'height', 'width']), value('ids', FLOAT, ['batch', 'past'])],
      output: [value('y', FLOAT)],
    },
  });

describe('a question about the sizes of a model', () => {
  it('is not asked with other sizes after ONNX Runtime has hung', () => {
    const { timeouts } = answerInstead(({ foldsConstants }) => (foldsConstants ? 'hang' : 'ask'));
    const { planned } = analyzeModel(picture());
    expect(timeouts).toHaveLength(1);
    expect(planned.refusal).toBe('no answer within 60 s');
    expect(planned.dimensions).toMatchObject({ height: 640, width: 640 });
  });

  it('has with all sizes together the time limit of one', () => {
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const { timeouts } = answerInstead(({ foldsConstants }) => {
      if (!foldsConstants) return 'ask';
      now += 25_000;
      return { error: 'too slow' };
    });
    const { planned } = analyzeModel(picture());
    // A minute, and 10 ms for each of the four nodes.
    expect(timeouts).toEqual([60_040, 35_040, 10_040]);
    expect(planned.refusal).toBe('too slow');
  });

  it('is not asked again if ONNX Runtime has refused the sizes', () => {
    const { timeouts } = answerInstead(({ foldsConstants }) =>
      foldsConstants ? { error: 'wrong sizes' } : 'ask',
    );
    const file = picture();
    const first = analyzeModel(file).planned;
    const asked = timeouts.length;
    expect(asked).toBeGreaterThan(3);
    expect(analyzeModel(file).planned).toEqual(first);
    expect(first.refusal).toBe('wrong sizes');
    expect(timeouts).toHaveLength(asked);
  });

  it('is asked again if ONNX Runtime had no memory', () => {
    const { timeouts } = answerInstead(({ foldsConstants }) =>
      foldsConstants ? { error: 'bad allocation' } : 'ask',
    );
    const file = picture();
    analyzeModel(file);
    const asked = timeouts.length;
    analyzeModel(file);
    expect(timeouts).toHaveLength(2 * asked);
  });
});

describe('a question about the shapes that slices declare', () => {
  const branches = (): string =>
    saveModel({
      graph: {
        node: [
          node(
            'If',
            ['c'],
            ['r'],
            [
              attribute.graph('then_branch', {
                node: [node('Neg', ['x'], ['a'])],
                output: [value('a', FLOAT)],
              }),
              attribute.graph('else_branch', {
                node: [node('Abs', ['x'], ['b'])],
                output: [value('b', FLOAT)],
              }),
            ],
          ),
          node('Tanh', ['r'], ['y']),
        ],
        input: [value('x', FLOAT, [2]), value('c', BOOL, [])],
        output: [value('y', FLOAT)],
      },
    });

  it('is asked once if ONNX Runtime hangs', () => {
    let questions = 0;
    const { timeouts } = answerInstead(() => (questions++ === 0 ? 'ask' : 'hang'));
    const { provenShapes, model } = analyzeModel(branches());
    expect(timeouts).toHaveLength(1);
    expect(provenShapes[model.graph.values.findIndex(({ name }) => name === 'x')]).toEqual([2]);
  });

  it('is not asked again if ONNX Runtime has refused it', () => {
    let questions = 0;
    const { timeouts } = answerInstead(() => (questions++ === 0 ? 'ask' : { error: 'no declarations' }));
    const file = branches();
    analyzeModel(file);
    const asked = timeouts.length;
    expect(asked).toBeGreaterThan(0);
    analyzeModel(file);
    expect(timeouts).toHaveLength(asked);
  });
});
