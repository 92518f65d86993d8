import * as fs from 'node:fs';
import * as path from 'node:path';
import { mlp, saveModel } from '../support/model-builder';
import { cli, refuse, succeed } from '../support/run-cli';

const model = saveModel(mlp(3));

/** Every command in this file fails before it writes anything. */
const out = path.join(path.dirname(model), 'slices');
afterEach(() => {
  expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(model)]);
});

it('--version prints the version of the package', async () => {
  const manifest = fs.readFileSync(path.join(__dirname, '../../package.json'), 'utf8');
  expect(await succeed(['--version'])).toBe(`${(JSON.parse(manifest) as { version: string }).version}\n`);
});

it.each([
  [['inspekt', model], /^unknown command 'inspekt' \(Did you mean inspect\?\)$/],
  [['inspect'], /^missing required argument 'model'$/],
  [['inspect', model, model], /^too many arguments for 'inspect'/],
  [['inspect', model, '--odd'], /^unknown option '--odd': --help lists the options$/],
  [['inspect', model, '--jsn'], /^unknown option '--jsn' \(Did you mean --json\?\)$/],
  [['slice', model], /^required option '--out <folder>' not specified$/],
  [['verify', model, '--seed', 'x'], /^option '--seed <n>' argument 'x' is invalid/],
  [['init', model], /^required option '--model <file>' not specified: .*; pass the model as --model /],
  [
    ['slice', '--out', out, '--at-tensors', 't0', model],
    /^missing required argument 'model': put it before --at-tensors, which takes all arguments after it$/,
  ],
])('bad usage is refused: %j', async (args, complaint) => {
  expect(await refuse(args)).toMatch(complaint);
});

describe('environment variables', () => {
  it('TMPDIR is refused if the folder does not exist', async () => {
    const { code, stderr } = await cli(['inspect', model], { env: { TMPDIR: out } });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `error: the folder for temporary files '${out}' must be writable, got no such file or folder: set TMPDIR to another folder\n`,
    });
  });

  it('SLICED_INFERENCE_DEBUG adds stack traces to errors', async () => {
    const { stderr } = await cli(['inspect', out], { env: { SLICED_INFERENCE_DEBUG: '1' } });
    expect(stderr).toMatch(/^error: model .*\nSlicedInferenceError: model .*\n +at /);
  });
});
