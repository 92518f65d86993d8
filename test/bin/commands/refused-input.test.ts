import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { encodeModel, mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { twoInputs, unary } from '../../support/command-models';
import { refuse, succeed } from '../../support/run-cli';
import { float32, int64 } from '../../support/tensors';

const model = saveModel(mlp(3));

function file(content: string | Uint8Array, name = 'model.onnx'): string {
  const target = path.join(temporaryFolder(), name);
  fs.writeFileSync(target, content);
  return target;
}

const HALF = encodeModel(mlp(3)).subarray(0, encodeModel(mlp(3)).length / 2);
const DOWNLOAD = 'download it and pass the path of the copy';
const EXPAND =
  'pass the full path, because only a shell expands ~ (in code, use os.homedir() or Path.home())';

/** All other refusals of models are those of the library: test/lib/onnx/hostile.test.ts and test/lib/host/foreign-path.test.ts have them. */
describe('a model is refused', () => {
  it('by each of inspect, plan, slice and verify in the same words, and no files are left behind', async () => {
    const folder = temporaryFolder();
    const truncated = file(HALF);
    const lines = await Promise.all([
      refuse(['inspect', truncated]),
      refuse(['plan', truncated, '--report', path.join(folder, 'report.html')]),
      refuse(['slice', truncated, '--out', path.join(folder, 'a/b')]),
      refuse(['verify', truncated]),
    ]);
    expect(fs.readdirSync(folder)).toEqual([]);
    expect(new Set(lines).size).toBe(1);
    expect(lines[0]).toMatch(/got a truncated file of \d+ bytes \(.*\): copy or download it again$/);
  });

  it.each([
    ['is missing', '/none/model.onnx', "model '/none/model.onnx' must be an ONNX file, got no such file or"],
    ['does not load', saveModel(unary([['NoSuchOperator', 'x', 'y']])), "' must load in ONNX Runtime "],
    ['is in S3', 's3://bucket/model.onnx', 'an S3 address: download it, or use SlicedModel.fromBucket if'],
    ['is in a home folder', '~/model.onnx', `must be an ONNX file, got a path with ~: ${EXPAND}`],
  ])('that %s', async (_, path, message) => {
    expect(await refuse(['inspect', path])).toContain(message);
  });
});

test('files may have names like paths of another system', async () => {
  const cwd = temporaryFolder();
  for (const name of ['~/m.onnx', 'C:\\models\\m.onnx', '$HOME/m.onnx', 's3:/m.onnx']) {
    fs.mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    fs.copyFileSync(model, path.join(cwd, name));
    await succeed(['inspect', name], { cwd });
  }
  await succeed(['slice', model, '--slices', '3', '--out', 'out'], { cwd });
  fs.copyFileSync(path.join(cwd, 'out/plan.json'), path.join(cwd, '~/plan.json'));
  await succeed(['slice', model, '--slicing-plan', '~/plan.json', '--out', 'again'], { cwd });
});

describe('slice refuses', () => {
  const slice = (...args: readonly string[]) =>
    refuse(['slice', model, '--out', path.join(temporaryFolder(), 'out'), ...args]);

  it('a plan of another model', async () => {
    const out = path.join(temporaryFolder(), 'other');
    await succeed(['slice', saveModel(mlp(2)), '--slices', '2', '--out', out]);
    expect(await slice('--slicing-plan', path.join(out, 'plan.json'))).toMatch(
      /^plan '.*' must be made from the same graph as the model, got a plan of 6 nodes for a model of 9 nodes/,
    );
  });

  it.each<[string, string, string]>([
    ['is missing', '/none/plan.json', 'must be a readable file'],
    ['has other content', file('{}', 'plan.json'), 'must be a plan.json of version 1, got other content'],
    ['has a path with ~', '~/plan.json', `must be a readable file, got a path with ~: ${EXPAND}`],
  ])('a plan that %s', async (_, plan, message) => {
    expect(await slice('--slicing-plan', plan)).toContain(message);
  });

  it('an output folder whose path contains a file', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'file'), 'mine');
    for (const out of ['file', 'file/out', 'file/a/b']) {
      expect(await slice('--out', path.join(folder, out))).toMatch(
        /^output folder '.*' must be .*, got a file in the way/,
      );
    }
    expect(fs.readdirSync(folder)).toEqual(['file']);
    expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('mine');
  });

  it('an output folder that cannot be created', async () => {
    expect(await slice('--out', '/proc/slices')).toMatch(
      /^output folder '\/proc\/slices' must be writable, /,
    );
    expect(await slice('--out', '/dev/full')).toMatch(
      /^output folder '\/dev\/full' must be a writable folder/,
    );
  });

  it('an output folder that holds files of someone else', async () => {
    const folder = temporaryFolder();
    for (const name of ['plan.json', 'slice-00.onnx', 'thesis.tex'])
      fs.writeFileSync(path.join(folder, name), 'mine');
    expect(await slice('--out', folder)).toBe(
      `output folder '${folder}' must be empty or hold an earlier plan, got a folder with 'thesis.tex': choose another folder`,
    );
    expect(fs.readFileSync(path.join(folder, 'plan.json'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(folder)).toHaveLength(3);
  });
});

describe('verify refuses inputs', () => {
  const two = saveModel(twoInputs());
  const x = float32([2, 4]);
  const ids = int64([2, 1], [1, 2]);

  it.each([
    [{ x, id: ids }, "the model has no input 'id': it takes 'x', 'ids'"],
    [{ x }, "input 'ids' int64[batch,1] is missing: the request has 'x'"],
    [{ x: int64([1, 4], [1, 2, 3, 4]), ids }, "input 'x' expects float32[batch,4], got int64[1,4]"],
    [{ x: float32([2, 5]), ids }, "input 'x' expects float32[batch,4], got float32[2,5]"],
    [{ x: float32([8]), ids }, "input 'x' expects float32[batch,4], got float32[8]"],
  ])('that do not match the model (%#)', async (tensors, expected) => {
    const inputs = path.join(temporaryFolder(), 'inputs.npz');
    await writeTensorFile(inputs, new Map(Object.entries(tensors)));
    expect(await refuse(['verify', two, '--slices', '2', '--inputs', inputs])).toContain(expected);
  });

  it('that are malformed or in S3', async () => {
    expect(await refuse(['verify', two, '--inputs', file('{', 'x.json')])).toContain('text that is not JSON');
    expect(await refuse(['verify', two, '--inputs', 's3://bucket/x.npz'])).toBe(
      `tensor file 's3://bucket/x.npz' must be readable, got an S3 address: ${DOWNLOAD}`,
    );
  });
});

test('run refuses a cloud assembly in S3', async () => {
  expect(await refuse(['run', 's3://bucket/cdk.out', '--inputs', 'x.npz', '--out', 'y.npz'])).toBe(
    `the cloud assembly 's3://bucket/cdk.out' must be a folder, got an S3 address: ${DOWNLOAD}`,
  );
});
