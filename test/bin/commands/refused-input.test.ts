import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import {
  encodeModel,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
  FLOAT,
} from '../../support/model-builder';
import { externalWeight, twoInputs, unary } from '../../support/command-models';
import { refuse, succeed } from '../../support/run-cli';
import { float32, int64 } from '../../support/tensors';

/** The error message of the four commands that read a model. None of them leaves files behind. */
async function complaint(model: string): Promise<string> {
  const folder = temporaryFolder();
  const lines = await Promise.all([
    refuse(['inspect', model]),
    refuse(['plan', model, '--report', path.join(folder, 'report.html')]),
    refuse(['slice', model, '--out', path.join(folder, 'a/b')]),
    refuse(['verify', model]),
  ]);
  expect(fs.readdirSync(folder)).toEqual([]);
  // The names of temporary files differ each time.
  const [first, ...others] = lines.map((line) => line.replace(/from \S+\.onnx failed/, ''));
  expect(others).toEqual([first, first, first]);
  return first;
}

function file(content: string | Uint8Array, name = 'model.onnx'): string {
  const target = path.join(temporaryFolder(), name);
  fs.writeFileSync(target, content);
  return target;
}

describe('inspect, plan, slice and verify refuse', () => {
  it('a missing model', async () => {
    const missing = path.join(temporaryFolder(), 'model.onnx');
    expect(await complaint(missing)).toBe(
      `model '${missing}' must be an ONNX file, got no such file or folder: check the path`,
    );
  });

  it('a folder', async () => {
    expect(await complaint(temporaryFolder())).toMatch(/got a folder: pass the path of the \.onnx file$/);
  });

  it('an empty file', async () => {
    expect(await complaint(file(''))).toMatch(/got an empty file: copy or download it again$/);
  });

  it('a file that is not ONNX', async () => {
    expect(await complaint(file('Nothing of that kind.\n'))).toMatch(/export the model as ONNX protobuf$/);
    expect(await complaint(file(Buffer.from('PK\u0003\u0004 a zip')))).toMatch(/^model '.*' must be a/);
  });

  it('a Git LFS pointer', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
    expect(await complaint(file(pointer))).toMatch(/got a Git LFS pointer to one: run `git lfs pull`/);
  });

  it('a truncated model', async () => {
    const bytes = encodeModel(mlp(3));
    const cut = bytes.subarray(0, bytes.length / 2);
    expect(await complaint(file(cut))).toMatch(
      /got a truncated file of \d+ bytes \(.*\): copy or download it again$/,
    );
  });

  it('a model that ONNX Runtime cannot load', async () => {
    expect(await complaint(saveModel(unary([['NoSuchOperator', 'x', 'y']])))).toMatch(
      /^model '.*' must load in ONNX Runtime [\d.]+, got .*NoSuchOperator/,
    );
  });

  it('a model with an unseeded random operator', async () => {
    const model = saveModel(
      unary([
        ['RandomNormalLike', 'x', 'noise'],
        ['Neg', 'noise', 'y'],
      ]),
    );
    expect(await complaint(model)).toMatch(/got an unseeded RandomNormalLike: add a `seed` attribute$/);
  });

  it('a model that uses an undefined value', async () => {
    const graph = {
      node: [node('Neg', ['z'], ['y'])],
      input: [value('x', FLOAT, [1])],
      output: [value('y', FLOAT)],
    };
    expect(await complaint(saveModel({ graph }))).toMatch(/must use values that the graph defines, got 'z'/);
  });
});

describe('inspect, plan, slice and verify refuse external data', () => {
  it.each(['../weights.bin', '/etc/hostname', 'a/../../weights.bin'])(
    "outside the model's folder: %s",
    async (location) => {
      expect(await complaint(saveModel(externalWeight(location)))).toMatch(
        /^external data of tensor 'w' must stay inside the model's folder, got/,
      );
    },
  );

  it('behind a symbolic link that leads outside', async () => {
    const folder = temporaryFolder();
    fs.symlinkSync(file(new Uint8Array(16)), path.join(folder, 'w.bin'));
    expect(await complaint(saveModel(externalWeight('w.bin'), 'model.onnx', folder))).toMatch(
      /^external data of tensor 'w' must stay inside the model's folder, got/,
    );
  });

  it('that is missing', async () => {
    expect(await complaint(saveModel(externalWeight('w.bin')))).toMatch(
      /^external data of tensor 'w' must lie in 'w\.bin' beside the model, got no such file or folder/,
    );
  });

  it('that is too short', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), new Uint8Array(15));
    expect(await complaint(saveModel(externalWeight('w.bin'), 'model.onnx', folder))).toMatch(
      /needs bytes 0 to 16 of 'w\.bin', got a file of 15 bytes: the file is cut short/,
    );
  });
});

describe('slice refuses a plan', () => {
  const model = saveModel(mlp(3));
  const slice = (plan: string) =>
    refuse(['slice', model, '--slicing-plan', plan, '--out', path.join(temporaryFolder(), 'out')]);

  it('of another model', async () => {
    const out = path.join(temporaryFolder(), 'other');
    await succeed(['slice', saveModel(mlp(2)), '--slices', '2', '--out', out]);
    expect(await slice(path.join(out, 'plan.json'))).toMatch(
      /^plan '.*' must be made from the same graph as the model, got a plan of 6 nodes for a model of 9 nodes/,
    );
  });

  it('that is missing or malformed', async () => {
    expect(await slice(path.join(temporaryFolder(), 'plan.json'))).toMatch(/must be a readable file/);
    expect(await slice(file('{}', 'plan.json'))).toMatch(
      /must be a plan\.json of version 1, got other content/,
    );
    expect(await slice(model)).toMatch(/must be a plan\.json of version 1/);
  });
});

describe('a path of another system', () => {
  const model = saveModel(mlp(3));
  const download = 'download it and pass the path of the copy';
  const expand =
    'pass the full path, because only a shell expands ~ (in code, use os.homedir() or Path.home())';

  it('is no model', async () => {
    expect(await complaint('s3://bucket/model.onnx')).toBe(
      "model 's3://bucket/model.onnx' must be an ONNX file, got an S3 address: " +
        'download it, or use SlicedModel.fromBucket if the bucket has its slices',
    );
    expect(await complaint('https://host/model.onnx')).toBe(
      `model 'https://host/model.onnx' must be an ONNX file, got a URL: ${download}`,
    );
    expect(await complaint('~/model.onnx')).toBe(
      `model '~/model.onnx' must be an ONNX file, got a path with ~: ${expand}`,
    );
    expect(await complaint('C:\\models\\m.onnx')).toBe(
      "model 'C:\\models\\m.onnx' must be an ONNX file, got a Windows path on another system: pass its path on this machine, with /",
    );
  });

  it('is no plan and no file of inputs', async () => {
    const out = path.join(temporaryFolder(), 'out');
    expect(await refuse(['slice', model, '--slicing-plan', '~/plan.json', '--out', out])).toBe(
      `plan '~/plan.json' must be a readable file, got a path with ~: ${expand}`,
    );
    expect(await refuse(['slice', model, '--slicing-plan', temporaryFolder(), '--out', out])).toMatch(
      /^plan '.*' must be a readable file, got a folder: pass the path of its plan\.json$/,
    );
    expect(await refuse(['verify', model, '--inputs', 's3://bucket/x.npz'])).toBe(
      `tensor file 's3://bucket/x.npz' must be readable, got an S3 address: ${download}`,
    );
  });

  it('is no cloud assembly', async () => {
    const files = ['--inputs', 'x.npz', '--out', 'y.npz'];
    expect(await refuse(['run', 's3://bucket/cdk.out', ...files])).toBe(
      `the cloud assembly 's3://bucket/cdk.out' must be a folder, got an S3 address: ${download}`,
    );
  });

  it('is the name of a model if such a file exists', async () => {
    const cwd = temporaryFolder();
    const names = ['~/m.onnx', 'C:\\models\\m.onnx', '$HOME/m.onnx', 's3:/m.onnx'];
    for (const name of names) {
      fs.mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
      fs.copyFileSync(model, path.join(cwd, name));
      await succeed(['slice', name, '--slices', '3', '--out', path.join(cwd, 'out')], { cwd });
    }
    await succeed(['slice', model, '--slicing-plan', '~/plan.json', '--out', 'other'], {
      cwd: folderWithPlan(path.join(cwd, 'out/plan.json')),
    });
  });

  /** A folder with the plan at `~/plan.json`. */
  function folderWithPlan(plan: string): string {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, '~'));
    fs.copyFileSync(plan, path.join(folder, '~/plan.json'));
    return folder;
  }
});

describe('slice refuses an output folder', () => {
  const model = saveModel(mlp(3));
  const slice = (out: string) => refuse(['slice', model, '--slices', '3', '--out', out]);

  it('whose path contains a file', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'file'), 'mine');
    for (const out of ['file', 'file/out', 'file/a/b']) {
      expect(await slice(path.join(folder, out))).toMatch(
        /^output folder '.*' must be .*, got a file in the way/,
      );
    }
    expect(fs.readdirSync(folder)).toEqual(['file']);
    expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('mine');
  });

  it('that cannot be created', async () => {
    expect(await slice('/proc/slices')).toMatch(/^output folder '\/proc\/slices' must be writable, got/);
    expect(await slice('/dev/full')).toMatch(/^output folder '\/dev\/full' must be a writable folder, got/);
  });

  it('that holds files of someone else', async () => {
    const folder = temporaryFolder();
    for (const name of ['plan.json', 'slice-00.onnx', 'thesis.tex'])
      fs.writeFileSync(path.join(folder, name), 'mine');
    expect(await slice(folder)).toBe(
      `output folder '${folder}' must be empty or hold an earlier plan, got a folder with 'thesis.tex': choose another folder`,
    );
    expect(fs.readFileSync(path.join(folder, 'plan.json'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(folder)).toHaveLength(3);
  });
});

describe('verify refuses inputs', () => {
  const model = saveModel(twoInputs());
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
    const line = await refuse(['verify', model, '--slices', '2', '--inputs', inputs]);
    expect(line.slice(0, expected.length)).toBe(expected);
  });

  it('that are missing, malformed or of an unknown format', async () => {
    const verify = (inputs: string) => refuse(['verify', model, '--inputs', inputs]);
    expect(await verify(path.join(temporaryFolder(), 'x.npz'))).toMatch(/must be readable, got no such file/);
    expect(await verify(file('no numbers', 'x.npy'))).toMatch(/^tensor file '.*' must be /);
    expect(await verify(file('{', 'x.json'))).toMatch(/got text that is not JSON/);
    expect(await verify(file('', 'x.safetensors'))).toMatch(/must be a safetensors file/);
    expect(await verify(file('1,2', 'x.csv'))).toMatch(/got \.csv: convert or rename it$/);
    expect(await verify(temporaryFolder())).toMatch(/must have input_0\.pb and so on, got 0 other files/);
  });
});
