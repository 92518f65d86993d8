import * as fs from 'node:fs';
import * as path from 'node:path';
import { mlp, saveModel } from '../support/model-builder';
import { cli, refuse, succeed } from '../support/run-cli';

const model = saveModel(mlp(3));

/** Each of these complaints comes before anything is made. */
const out = path.join(path.dirname(model), 'slices');
afterEach(() => {
  expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(model)]);
});

describe('help', () => {
  it.each([['--help'], ['help'], ['-h']])('%s names the commands and the exit codes', async (flag) => {
    const help = await succeed([flag]);
    for (const command of ['inspect', 'slice', 'verify', 'run']) {
      expect(help).toMatch(new RegExp(`^ {2}${command} \\[options\\] `, 'm'));
    }
    expect(help).toContain('Exit codes: 0 success, 1 the answer is no');
  });

  it.each(['inspect', 'slice', 'verify', 'run'])(
    '%s --help shows its flags and examples',
    async (command) => {
      const help = await succeed([command, '--help']);
      expect(help).toMatch(new RegExp(`^Usage: sliced-inference ${command} \\[options\\] <`));
      expect(help).toContain('\nExamples:\n  $ ');
    },
  );

  it('without a command is an error', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: sliced-inference /);
  });

  it('--version is the version of the package', async () => {
    const manifest = fs.readFileSync(path.join(__dirname, '../../package.json'), 'utf8');
    expect(await succeed(['--version'])).toBe(`${(JSON.parse(manifest) as { version: string }).version}\n`);
  });
});

describe('bad usage', () => {
  it.each([
    [['inspekt', model], /^unknown command 'inspekt' \(Did you mean inspect\?\)$/],
    [['inspect'], /^missing required argument 'model'$/],
    [['inspect', model, model], /^too many arguments for 'inspect'/],
    [['inspect', model, '--slices', '2'], /^unknown option '--slices'$/],
    [['inspect', model, '--jsn'], /^unknown option '--jsn' \(Did you mean --json\?\)$/],
    [['slice', model], /^required option '--out <place>' not specified$/],
    [['slice', model, '--out'], /^option '--out <place>' argument missing$/],
    [['slice', model, '--out', ''], /^--out must name a folder/],
    [['verify', model, '--seed', 'x'], /^option '--seed <n>' argument 'x' is invalid/],
    [['run', '.', '--out', 'y.npz'], /^required option '--inputs <file>' not specified$/],
    [['run', '.', '--inputs', 'x.npz'], /^required option '--out <file>' not specified$/],
    [
      ['slice', '--out', out, '--at-tensors', 't0', model],
      /^missing required argument 'model': put it before --at-tensors, which takes all that follows$/,
    ],
  ])('%j', async (args, complaint) => {
    expect(await refuse(args)).toMatch(complaint);
  });
});

describe('bad slicing flags', () => {
  it.each([
    [
      ['--slices', '2', '--max-slice-size', '1KB'],
      'the slicing must be given by one flag, got --slices and --max-slice-size',
    ],
    [
      ['--at-tensors', 't0', '--slicing-plan', 'p'],
      'the slicing must be given by one flag, got --at-tensors and --slicing-plan',
    ],
    [['--slices', '0'], 'the number of slices must be a whole number of 1 or more, got 0'],
    [['--slices', '-1'], "option '--slices <n>' argument '-1' is invalid"],
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
    [['--max-memory', '64'], '--max-memory must be a whole number of MB from 128 to 10240, got 64'],
    [['--max-memory', '128'], 'each slice must need at most 128 MB of memory, got 512 MB'],
    [
      ['--at-tensors', 'nowhere'],
      "a tensor to cut at must be computed by a node from the model's inputs, got 'nowhere'",
    ],
    [
      ['--at-tensors', 't0,nowhere'],
      "a tensor to cut at must be computed by a node from the model's inputs, got 'nowhere'",
    ],
    [
      ['--at-tensors', 'w0'],
      "a tensor to cut at must be computed by a node from the model's inputs, got 'w0'",
    ],
    [['--at-tensors', ','], 'the tensors to cut at must be one or more, got none'],
    [['--at-tensors', 'y'], "a cut at 'y' must leave nodes on both sides"],
    [['--dimension', 'batch'], "option '--dimension <name=size>' argument 'batch' is invalid"],
    [['--dimension', 'batch=-1'], "option '--dimension <name=size>' argument 'batch=-1' is invalid"],
    [['--dimension', 'batch=0'], "the size of dimension 'batch' must be a whole number of 1 or more, got 0"],
    [
      ['--dimension', 'length=1'],
      "a dimension must be a symbolic dimension of the model's inputs (batch), got 'length'",
    ],
  ])('%j', async (flags, complaint) => {
    expect(await refuse(['slice', model, '--out', out, ...flags])).toMatch(complaint);
    if (!flags.includes('--max-memory')) expect(await refuse(['verify', model, ...flags])).toMatch(complaint);
  });
});

describe('environment', () => {
  it('a folder for temporary files that is not there', async () => {
    const { code, stderr } = await cli(['inspect', model], { env: { TMPDIR: out } });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `error: the folder for temporary files '${out}' must be writable, got no such file or folder: set TMPDIR to another\n`,
    });
  });

  it('no cache', async () => {
    await succeed(['inspect', model], { env: { SLICED_INFERENCE_CACHE: '' } });
  });

  it('stacks for whoever looks for a fault in the tool', async () => {
    const { stderr } = await cli(['inspect', out], { env: { SLICED_INFERENCE_DEBUG: '1' } });
    expect(stderr).toMatch(/^error: model .*\nSlicedInferenceError: model .*\n +at /);
  });
});
