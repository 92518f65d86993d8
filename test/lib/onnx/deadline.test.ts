/** How long the library waits for child processes with ONNX Runtime. */
import childProcess from 'node:child_process';
import { EventEmitter } from 'node:events';
import { runProfileJob } from '../../../bin/profile/run-profile-job';
import { runJob } from '../../../bin/verify/run-job';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import { analyzeModel } from '../../../lib/compile/analyze';
import type { Model } from '../../../lib/onnx/model';
import { parseModel } from '../../../lib/onnx/parse';
import { FLOAT, floats, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { errorOf } from '../../support/pipeline-stack';

const { spawn, spawnSync } = childProcess;
const cache = process.env[CACHE_VARIABLE];
afterEach(() => {
  Object.assign(childProcess, { spawn, spawnSync });
  process.env[CACHE_VARIABLE] = cache;
});

/** Hangs in place of each child process. Returns the time limits, in seconds. */
function hang(): number[] {
  process.env[CACHE_VARIABLE] = temporaryFolder();
  const limits: number[] = [];
  Object.assign(childProcess, {
    spawnSync: (_: string, __: readonly string[], { timeout }: { timeout: number }) => {
      limits.push(timeout / 1000);
      return { status: null, signal: 'SIGKILL', stdout: '', stderr: '', error: { code: 'ETIMEDOUT' } };
    },
    spawn: (_: string, __: readonly string[], { timeout }: { timeout: number }) => {
      limits.push(timeout / 1000);
      const child = new EventEmitter();
      setImmediate(() => child.emit('exit', null, 'SIGKILL'));
      return child;
    },
  });
  return limits;
}

const chain = (nodes: number, weights: number): string =>
  saveModel({
    graph: {
      node: Array.from({ length: nodes }, (_, index) => node('Abs', [`v${index}`], [`v${index + 1}`])),
      initializer: [floats('w', [weights])],
      input: [value('v0', FLOAT, ['n'])],
      output: [value(`v${nodes}`, FLOAT)],
    },
  });

const folder = temporaryFolder();
const inputs = 'inputs.safetensors';
const outputs = 'outputs.safetensors';

const processes: [name: string, seconds: number, start: (file: string, model: Model) => Promise<unknown>][] =
  [
    ['the inference of types', 60, (file) => Promise.resolve(errorOf(() => analyzeModel(file)))],
    [
      'an optimization',
      15 * 60,
      (file) => Promise.resolve(errorOf(() => analyzeModel(file, { optimization: 'basic' }))),
    ],
    [
      'a verification',
      15 * 60,
      (modelPath, model) =>
        runJob(
          { kind: 'default', modelPath, inputs, outputs, outputNames: [] },
          { what: 'it must run', advice: 'try again' },
          { folder, model },
        ).catch(String),
    ],
    ['a measurement', 60 * 60, (product, model) => runProfileJob({ kind: 'speed', product }, folder, model)],
  ];

describe('the time limit', () => {
  it.each(processes)('of %s grows with the nodes and bytes of the model', async (_, base, start) => {
    const limits = hang();
    for (const file of [chain(2, 1), chain(3000, 1), chain(2, 1_250_000)])
      await start(file, parseModel(file));
    const [small, deep, wide] = limits;
    expect(small).toBeCloseTo(base, 0);
    expect(deep - small).toBeCloseTo(30, 0);
    expect(wide - small).toBeCloseTo(0.5, 1);
  });

  it('is in the error', () => {
    hang();
    expect(errorOf(() => analyzeModel(chain(3000, 1)))).toContain('no answer within 90 s');
  });
});
