/** How long the library waits for child processes with ONNX Runtime. */
import childProcess from 'node:child_process';
import { CACHE_VARIABLE } from '../../../lib/cache/folder';
import { analyzeModel } from '../../../lib/compile/analyze';
import { deadlineMs } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { errorOf } from '../../support/pipeline-stack';

const { spawnSync } = childProcess;
const cache = process.env[CACHE_VARIABLE];
afterEach(() => {
  Object.assign(childProcess, { spawnSync });
  process.env[CACHE_VARIABLE] = cache;
});

test('the error of a model that ONNX Runtime optimizes for too long names the limit', () => {
  process.env[CACHE_VARIABLE] = temporaryFolder();
  const answer = { status: null, signal: 'SIGKILL', stdout: '', stderr: '', error: { code: 'ETIMEDOUT' } };
  Object.assign(childProcess, { spawnSync: () => answer });
  const file = saveModel(mlp(1));
  expect(errorOf(() => analyzeModel(file, { optimization: 'basic' }))).toContain('no answer within 900 s');
});

test('the limit grows with the bytes of the model', () => {
  const model = parseModel(saveModel(mlp(1)));
  const [file] = model.files;
  const wide = { ...model, files: [{ ...file, size: file.size + 5e6 }] };
  expect(deadlineMs(1000, wide) - deadlineMs(1000, model)).toBeCloseTo(500, -1);
});
