import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import type { ExecutionOutput } from '../../../contract/execution';
import { Session } from '../../../lambda/slice/session';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { comparable } from '../../support/arbitrary-tensors';
import { manyOutputs, pickyAboutColumns, twoInputs } from '../../support/command-models';
import { isLink, link } from '../../support/links-and-pipes';
import { synthesize } from '../../support/pipeline-assembly';
import { cli, outcome, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { sparseModel } from '../../support/sparse-model';
import { float32, int64 } from '../../support/tensors';

const model = saveModel(mlp(3));
const several = {
  Many: saveModel(manyOutputs()),
  Two: saveModel(twoInputs()),
  Picky: saveModel(pickyAboutColumns(4)),
};
let assembly: string;
let assemblyOfSeveral: string;
beforeAll(() => {
  assembly = synthesize({ Mlp: { modelPath: model, slices: 3 } });
  assemblyOfSeveral = synthesize({
    Many: { modelPath: several.Many, slices: 4 },
    Two: { modelPath: several.Two, slices: 2 },
    Picky: { modelPath: several.Picky, slices: 2 },
  });
});

type Tensors = ReadonlyMap<string, RawTensor>;

const x: Tensors = new Map([['x', float32([2, 16])]]);

async function save(tensors: Tensors, name = 'inputs.npz'): Promise<string> {
  const file = path.join(temporaryFolder(), name);
  await writeTensorFile(file, tensors);
  return file;
}

/** ONNX Runtime's outputs for the unsliced model. */
async function unsliced(modelPath: string, inputs: Tensors, outputs: readonly string[]): Promise<Tensors> {
  const session = await Session.open({ path: modelPath, threads: 1 });
  const results = await session.run(inputs, outputs);
  await session.release();
  return results;
}

describe('run', () => {
  it.each(['.npz', '.json', '.safetensors'])(
    'writes the outputs of the unsliced model to %s',
    async (extension) => {
      const out = path.join(temporaryFolder(), `outputs${extension}`);
      const text = await succeed(['run', assembly, '--inputs', await save(x), '--out', out]);
      expect(text).toMatch(
        /^slice +weights .*\n +0 .*\n +1 .*\n +2 .*\nwritten to .*outputs\.\w+ \(.*B\)\n$/,
      );
      expect(comparable(await readTensorFile(out, []))).toEqual(comparable(await unsliced(model, x, ['y'])));
      expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(out)]);
    },
  );

  it('prints the execution as JSON', async () => {
    const out = path.join(temporaryFolder(), 'y.npz');
    const output = await succeedWithJson(['run', assembly, '--inputs', await save(x), '--out', out]);
    const { version, outputs, timings } = output as ExecutionOutput;
    expect(version).toBe(1);
    expect(outputs.s3?.key).toMatch(/^outputs\/.*\.safetensors$/);
    expect(timings.map(({ slice, cold }) => [slice, cold])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ]);
  });

  it('warns of a slice whose peak is above the memory of its function', async () => {
    // Mapped weights of 41 MB are a part of the peak, and the local cloud kills no function for them.
    const large = sparseModel(1, 3200);
    const assembly128 = synthesize({ Large: { modelPath: large, slices: 1, memorySize: 128 } });
    const inputs = await save(new Map([['x', float32([1, 3200])]]));
    const out = path.join(temporaryFolder(), 'y.npz');
    const { code, stderr } = await outcome(['run', assembly128, '--inputs', inputs, '--out', out, '--json']);
    expect(stderr).toMatch(
      /^warning: slice 0 peaked at \d+ MB, its function has 128 MB: raise its memorySize\n$/,
    );
    expect(code).toBe(0);
  });

  it('takes nested arrays as JSON', async () => {
    const file = path.join(temporaryFolder(), 'x.json');
    fs.writeFileSync(file, JSON.stringify({ x: [Array(16).fill(0.5), Array(16).fill(-1)] }));
    const out = path.join(temporaryFolder(), 'y.npz');
    await succeed(['run', assembly, '--inputs', file, '--out', out]);
    const values = Array.from({ length: 32 }, (_, index) => (index < 16 ? 0.5 : -1));
    const expected = await unsliced(model, new Map([['x', float32([2, 16], values)]]), ['y']);
    expect(comparable(await readTensorFile(out, []))).toEqual(comparable(expected));
  });

  it('writes a timeline and labels simulated times', async () => {
    const [out, trace] = ['y.npz', 'trace.json'].map(link);
    const files = ['--inputs', await save(x), '--out', out, '--trace', trace];
    const text = await succeed(['run', assembly, ...files, '--simulate', 's3-express']);
    expect(text).toContain('\ntimes are simulated: s3-express\nwritten to ');
    const { traceEvents } = JSON.parse(fs.readFileSync(trace, 'utf8')) as {
      traceEvents: { name: string; ph: string; args?: { name?: string } }[];
    };
    const rows = traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name);
    expect(rows).toEqual(['state machine', 'slice 00', 'slice 01', 'slice 02']);
    expect(traceEvents.filter(({ name }) => name === 'run')).toHaveLength(3);
    expect([out, trace].map(isLink)).toEqual([true, true]);
  });

  // Each write to this device fails as if the disk were full.
  (fs.existsSync('/dev/full') ? it : it.skip)(
    'keeps the outputs if the timeline cannot be written',
    async () => {
      const out = path.join(temporaryFolder(), 'y.npz');
      const files = ['--inputs', await save(x), '--out', out, '--trace', '/dev/full'];
      expect(await cli(['run', assembly, ...files])).toMatchObject({
        code: 2,
        stdout: expect.stringContaining('written to ') as string,
        stderr:
          "error: --trace must name a file that can be written, got no space left on the disk for '/dev/full': choose another file\n",
        leftovers: [],
      });
      expect([...(await readTensorFile(out, [])).keys()]).toEqual(['y']);
    },
  );

  it('refuses a timeline in a missing folder and an unknown network', async () => {
    const files = ['--inputs', await save(x), '--out', path.join(temporaryFolder(), 'y.npz')];
    expect(await refuse(['run', assembly, ...files, '--trace', '/nowhere/trace.json'])).toBe(
      "--trace must be in an existing folder, got '/nowhere/trace.json': create the folder or choose another",
    );
    expect(await refuse(['run', assembly, ...files, '--simulate', 'slow'])).toContain(
      'expected one or more of none, aws, aws-vpc, lambda, lambda-vpc, cold-starts, s3-standard, s3-express, ' +
        "standard-transitions, express-transitions, separated by commas, got 'slow': choose others",
    );
  });

  it('meets faults, says how many, and meets the same ones with the same seed', async () => {
    const out = path.join(temporaryFolder(), 'y.npz');
    const args = ['run', assembly, '--inputs', await save(x), '--out', out];
    const faults = ['--faults', 's3-503:0.3,flipped-bit:0.3,duplicate-delivery:0.2', '--seed', '4'];
    const [first, second] = [await outcome([...args, ...faults]), await outcome([...args, ...faults])];
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toMatch(/^faults: \d+ \S+(, \d+ \S+)*\n$/);
    expect(second.stderr).toBe(first.stderr);
    expect(comparable(await readTensorFile(out, []))).toEqual(comparable(await unsliced(model, x, ['y'])));
    expect((await outcome([...args, '--faults', 'all:0'])).stderr).toBe('faults: none\n');
  });

  it('names the fault that the execution could not survive', async () => {
    const out = path.join(temporaryFolder(), 'y.npz');
    const { code, stderr } = await outcome([
      ...['run', assembly, '--inputs', await save(x), '--out', out, '--faults', 'killed-before-write:1'],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^faults: 3 killed-before-write\nerror: the execution failed: Runtime\.ExitError: slice 2: .*signal: killed\n$/,
    );
  });

  it('refuses unknown faults, bad rates and a seed without faults', async () => {
    const args = ['run', assembly, '--inputs', await save(x), '--out', path.join(temporaryFolder(), 'y.npz')];
    expect(await refuse([...args, '--faults', 's3-504:0.1'])).toBe(
      "the local cloud must know the kind of a fault, got 's3-504': did you mean 's3-503'?",
    );
    expect(await refuse([...args, '--faults', 'reset:2'])).toBe(
      "the rate of 'reset' must be a number from 0 to 1, got '2': write it like reset:0.1",
    );
    expect(await refuse([...args, '--seed', '1'])).toBe(
      '--seed must come with --faults or --simulate, got neither: add one, such as --faults all:0.02',
    );
  });

  it('runs the named pipeline and keeps the order of its outputs', async () => {
    const inputs: Tensors = new Map([['x', float32([3, 4])]]);
    const out = path.join(temporaryFolder(), 'outputs.json');
    const files = ['--inputs', await save(inputs, 'inputs.safetensors'), '--out', out];
    await succeed(['run', assemblyOfSeveral, '--pipeline', 'Many', ...files]);
    const outputs = await readTensorFile(out, []);
    expect([...outputs.keys()]).toEqual(['late', 'early', 'places']);
    const expected = await unsliced(several.Many, inputs, ['late', 'early', 'places']);
    expect(comparable(outputs)).toEqual(comparable(expected));
  });

  it('replaces an earlier output file', async () => {
    const out = await save(new Map([['old', float32([1])]]), 'y.npz');
    await succeed(['run', assembly, '--inputs', await save(x), '--out', out]);
    expect([...(await readTensorFile(out, [])).keys()]).toEqual(['y']);
  });

  it('exits with 1 when the execution fails', async () => {
    const inputs = await save(new Map([['x', float32([1, 5])]]));
    const out = path.join(temporaryFolder(), 'y.npz');
    const files = ['--inputs', inputs, '--out', out];
    expect(await cli(['run', assemblyOfSeveral, '--pipeline', 'Picky', ...files])).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: the execution failed: SliceFailed: slice 0: [^\n]+\n$/,
      ) as string,
      leftovers: [],
    });
    expect(fs.readdirSync(path.dirname(out))).toEqual([]);
  });
});

describe('run refuses', () => {
  /** Runs with these inputs, checks that no output file is left behind, and returns the error message. */
  async function complaint(
    inputs: string,
    pipeline = assembly,
    flags: readonly string[] = [],
  ): Promise<string> {
    const folder = temporaryFolder();
    const out = path.join(folder, 'y.npz');
    const line = await refuse(['run', pipeline, '--inputs', inputs, '--out', out, ...flags]);
    expect(fs.readdirSync(folder)).toEqual([]);
    return line;
  }

  it('an input of another name', async () => {
    const inputs = await save(new Map([['X', float32([2, 16])]]));
    expect(await complaint(inputs)).toBe("the model has no input 'X': it takes 'x'");
  });

  it('a missing input', async () => {
    const inputs = await save(new Map([['x', float32([2, 4])]]));
    expect(await complaint(inputs, assemblyOfSeveral, ['--pipeline', 'Two'])).toBe(
      "input 'ids' int64[batch,1] is missing: the request has 'x'",
    );
  });

  it('an input of another type', async () => {
    const inputs = await save(new Map([['x', int64([1, 1], [1])]]));
    expect(await complaint(inputs)).toBe(
      "input 'x' expects float32[batch,16], got int64[1,1]: convert it or check the input's name",
    );
  });

  it('an input of another shape', async () => {
    const inputs = await save(new Map([['x', float32([2, 15])]]));
    expect(await complaint(inputs)).toBe(
      "input 'x' expects float32[batch,16], got float32[2,15]: convert it or check the input's name",
    );
  });

  it('inputs that are missing, malformed or of an unknown format', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.npz');
    expect(await complaint(file)).toBe(
      `tensor file '${file}' must be readable, got no such file or folder: check the path`,
    );
    fs.writeFileSync(file, 'no zip');
    expect(await complaint(file)).toMatch(/^tensor file '.*' must be an \.npz archive, got a broken zip/);
    fs.renameSync(file, path.join(folder, 'x.csv'));
    expect(await complaint(path.join(folder, 'x.csv'))).toMatch(
      /must be one of \.safetensors, \.npz, \.npy, \.json or a folder of input_N\.pb, got \.csv: convert or rename it$/,
    );
  });

  it('a path that is not an assembly, and an assembly without a pipeline', async () => {
    const inputs = await save(x);
    const empty = temporaryFolder();
    expect(await complaint(inputs, empty)).toBe(
      `'${empty}' is not a cloud assembly, it has no manifest.json: pass the output folder of \`cdk synth\``,
    );
    expect(await complaint(inputs, path.join(empty, 'none'))).toMatch(
      /does not exist: run `cdk synth` first$/,
    );
    expect(await complaint(inputs, model)).toMatch(/is not a cloud assembly/);
    const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
    new Stack(app, 'Empty');
    expect(await complaint(inputs, app.synth().directory)).toMatch(
      /^the assembly must have a pipeline, got no state machine/,
    );
  });

  it('an assembly of several pipelines if none or an unknown one is named', async () => {
    const inputs = await save(x);
    expect(await complaint(inputs, assemblyOfSeveral)).toMatch(
      /^the assembly has 3 pipelines: choose one of Many\/\w+, Two\/\w+, Picky\/\w+ with --pipeline/,
    );
    expect(await complaint(inputs, assemblyOfSeveral, ['--pipeline', 'None'])).toMatch(
      /has no state machine named 'None': /,
    );
  });

  it('an output file that it cannot write, before it runs', async () => {
    const folder = temporaryFolder();
    const inputs = await save(x);
    const run = (out: string) => refuse(['run', assembly, '--inputs', inputs, '--out', out]);
    expect(await run(path.join(folder, 'y.csv'))).toMatch(
      /^--out must end in \.safetensors, \.npz or \.json/,
    );
    expect(await run(path.join(folder, 'none/y.npz'))).toMatch(/^--out must be in an existing folder/);
    expect(await run(path.join(model, 'y.npz'))).toMatch(/^--out must be in an existing folder/);
    fs.mkdirSync(path.join(folder, 'y.npz'));
    expect(await run(path.join(folder, 'y.npz'))).toMatch(/^--out must name a file/);
    expect(fs.readdirSync(folder)).toEqual(['y.npz']);
  });

  // No file can be created in /proc, not even by the superuser.
  (process.platform === 'linux' ? it : it.skip)(
    'files in a folder that takes none, before it runs',
    async () => {
      const files = ['--inputs', await save(x), '--out'];
      expect(await refuse(['run', assembly, ...files, '/proc/y.npz'])).toBe(
        "--out must name a file that can be written, got no such file or folder for '/proc/y.npz': choose another file",
      );
      const out = path.join(temporaryFolder(), 'y.npz');
      expect(await refuse(['run', assembly, ...files, out, '--trace', '/proc/t.json'])).toMatch(
        /^--trace must name a file that can be written, got .* for '\/proc\/t\.json'/,
      );
    },
  );

  it('one file for the outputs and the timeline', async () => {
    const out = path.join(temporaryFolder(), 'y.npz');
    const same = path.join(path.dirname(out), '.', 'y.npz');
    const files = ['--inputs', await save(x), '--out', out, '--trace', same];
    expect(await refuse(['run', assembly, ...files])).toBe(
      `--trace and --out must name two files, got '${out}' for both: rename one of them`,
    );
  });
});
