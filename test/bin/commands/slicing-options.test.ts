import * as fs from 'node:fs';
import * as path from 'node:path';
import { mlp, saveModel } from '../../support/model-builder';
import { refuse } from '../../support/run-cli';

const model = saveModel(mlp(3));

/** Every command in this file fails before it writes anything. */
const out = path.join(path.dirname(model), 'slices');
afterEach(() => {
  expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(model)]);
});

describe('slice and verify', () => {
  it.each([
    [
      ['--slices', '2', '--max-slice-size', '1KB'],
      'slicing flags exclude one another, got --slices and --max-slice-size',
    ],
    [
      ['--at-tensors', 't0', '--slicing-plan', 'p'],
      'slicing flags exclude one another, got --at-tensors and --slicing-plan',
    ],
    [['--slices', '0'], "option '--slices <n>' argument '0' is invalid. It must be a whole number from 1."],
    [['--slices', '-1'], "option '--slices <n>' argument '-1' is invalid. It must be a whole number from 1."],
    [['--slices', '1.5'], "option '--slices <n>' argument '1.5' is invalid"],
    [['--slices', '10'], 'the model can be cut into at most 9 slices, got 10 slices'],
    [['--max-slice-size', '0'], 'the size of a slice must be a whole number of bytes above 0, got 0'],
    [['--max-slice-size', '-5MB'], "option '--max-slice-size <size>' argument '-5MB' is invalid"],
    [['--max-slice-size', '5XB'], "option '--max-slice-size <size>' argument '5XB' is invalid"],
    [['--max-slice-size', '1e3'], "option '--max-slice-size <size>' argument '1e3' is invalid"],
    [
      ['--max-slice-size', '100B'],
      "each slice must have at most 100 bytes of weights, got 1024 bytes for node 'MatMul_m0'",
    ],
    [['--max-memory', '64'], '--max-memory must be a whole number of MB from 512 to 10240, got 64'],
    [['--max-memory', '511'], 'got 511: a function of a slice has 512 MB at least'],
    ...['nowhere', 't0,nowhere', 'w0'].map((names): [string[], string] => [
      ['--at-tensors', names],
      `a tensor to cut at must be computed by a node from the model's inputs, got '${names.replace('t0,', '')}'`,
    ]),
    [['--at-tensors', ','], 'the list of tensors to cut at must have one tensor or more, got none'],
    [['--at-tensors', 'y'], "a cut at 'y' must leave nodes on both sides"],
    [['--dimension', 'batch'], "option '--dimension <name=size>' argument 'batch' is invalid"],
    [['--dimension', 'batch=-1'], "option '--dimension <name=size>' argument 'batch=-1' is invalid"],
    [
      ['--dimension', 'batch=2', '--dimension', 'batch=3'],
      "argument 'batch=3' is invalid. 'batch' has a size already: pass each dimension once.",
    ],
    [
      ['--dimension', 'batch=0'],
      "the size of dimension 'batch' must be a whole number from 1 to 2147483647, got 0",
    ],
    [
      ['--dimension', 'length=1'],
      "a dimension must be a symbolic dimension of the model's inputs (batch), got 'length'",
    ],
  ])('refuse %j', async (flags, complaint) => {
    expect(await refuse(['slice', model, '--out', out, ...flags])).toMatch(complaint);
    if (!flags.includes('--max-memory')) expect(await refuse(['verify', model, ...flags])).toMatch(complaint);
  });
});
