import * as fs from 'node:fs';
import * as path from 'node:path';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import type { ExecutionOutput } from '../../../contract/execution';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { comparable } from '../../support/arbitrary-tensors';
import { manyOutputs, pickyAboutColumns, twoInputs } from '../../support/command-models';
import { isLink, link } from '../../support/links-and-pipes';
import { synthesize } from '../../support/pipeline-assembly';
import { outcome, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';
import { TextsStack } from '../../support/texts-stack';

type Tensors = ReadonlyMap<string, RawTensor>;

const model = saveModel(mlp(3));
const many = saveModel(manyOutputs());
const x: Tensors = new Map([['x', float32([2, 16])]]);

let assembly: string;
let several: string;
let texts: string;
let inputs: string;
beforeAll(async () => {
  assembly = synthesize({ Mlp: { modelPath: model, slices: 3 } });
  several = synthesize({
    Many: { modelPath: many, slices: 4 },
    Two: { modelPath: saveModel(twoInputs()), slices: 2 },
    Picky: { modelPath: saveModel(pickyAboutColumns(4)), slices: 2 },
  });
  const stack = new TextsStack();
  stack.add('Before', { modelPath: model }, 'preprocess');
  stack.add('After', { modelPath: model }, 'postprocess');
  const stateMachineType = sfn.StateMachineType.STANDARD;
  stack.addMachine(
    'Mine',
    stack.add('Both', { modelPath: model, stateMachineType }, 'preprocess', 'postprocess'),
  );
  texts = stack.synthesize();
  inputs = await save(x);
});

async function save(tensors: Tensors | Readonly<Record<string, RawTensor>>): Promise<string> {
  const file = path.join(temporaryFolder(), 'inputs.npz');
  await writeTensorFile(file, tensors instanceof Map ? tensors : new Map(Object.entries(tensors)));
  return file;
}

/** A file in a folder of its own, which does not exist yet. */
function fresh(name: string): string {
  return path.join(temporaryFolder(), name);
}

/** Logical ids without the digits that CDK appends: those of a construct's own state machine have its path before them. */
const machine = (id: string): string => (id === 'Mine' ? id : `${id}StateMachine`);

/** Arguments for a pipeline of texts. */
function runText(id: string, ...args: readonly string[]): string[] {
  return ['run', texts, '--pipeline', machine(id), ...args];
}

describe('run', () => {
  it('replaces a file with the outputs of the unsliced model', async () => {
    const out = await save({ old: float32([1]) });
    const text = await succeed(['run', assembly, '--inputs', inputs, '--out', out]);
    expect(text).toMatch(
      /^slice +load .*\n +0 .*\n +1 .*\n +2 .*\n░ load .*\nprocessor: .*\ntotal .* simulated: none\nwritten to .*inputs\.npz \(.*B\)\n$/,
    );
    expect(comparable(await readTensorFile(out, []))).toEqual(comparable(await runWhole(model, x)));
    expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(out)]);
  });

  it('takes nested arrays as JSON, and prints the first execution and the figures of repeated ones as JSON', async () => {
    const [file, out] = [fresh('x.json'), fresh('y.json')];
    fs.writeFileSync(file, JSON.stringify({ x: [Array(16).fill(0.5), Array(16).fill(-1)] }));
    const output = await succeedWithJson(['run', assembly, '--inputs', file, '--out', out, '--repeat', '2']);
    expect(output).toMatchObject({
      version: 1,
      repeat: { runs: [{ cold: true }, { cold: false }], warm: { runs: 1 }, differing: 0 },
    });
    const { outputs, timings } = output as ExecutionOutput;
    expect(outputs.s3?.key).toMatch(/^outputs\/.*\.safetensors$/);
    expect(timings.map(({ slice, cold }) => [slice, cold])).toEqual([0, 1, 2].map((slice) => [slice, true]));
    const values = Array.from({ length: 32 }, (_, index) => (index < 16 ? 0.5 : -1));
    const expected = await runWhole(model, new Map([['x', float32([2, 16], values)]]));
    expect(comparable(await readTensorFile(out, []))).toEqual(comparable(expected));
  });

  it('runs the named pipeline, labels simulated times and keeps the order of outputs', async () => {
    const rows = { x: float32([3, 4]) };
    const out = link('outputs.json');
    const args = ['--pipeline', 'Many', '--inputs', await save(rows), '--out', out, '--simulate', 'aws-vpc'];
    expect(await succeed(['run', several, ...args])).toContain(', simulated: aws-vpc\nwritten to ');
    expect(isLink(out)).toBe(true);
    const expected = await runWhole(many, new Map(Object.entries(rows)));
    const outputs = await readTensorFile(out, []);
    expect(comparable(outputs)).toEqual(comparable(expected));
    expect([...outputs.keys()]).toEqual(['late', 'early', 'places']);
  });

  it('prints outputs and figures of repeated runs', async () => {
    const text = await succeed(['run', assembly, '--inputs', inputs, '--repeat', '4']);
    expect(text).toMatch(
      /^y {2}float32\[2,16\]\n {2}\S.* …\n {2}min \S+ {3}max \S+ at \[\d,\d+\]\n\nrun 1, cold\n/,
    );
    expect(text).toMatch(
      /\nrun 4, warm\nslice .*\n( .*\n){3}░ .*\nprocessor: .*\ntotal .*\n\ncold: .* in run 1\nwarm: p50 .*, p95 .* of 3 warm runs .*\noutputs: the same bits in all 4 runs\n$/,
    );
  });

  it('meets faults, says how many, and meets the same ones with the same seed', async () => {
    const out = fresh('y.npz');
    const args = ['run', assembly, '--inputs', inputs, '--out', out];
    const faults = ['--faults', 's3-503:0.3,flipped-bit:0.3,duplicate-delivery:0.2', '--seed', '4'];
    const [first, second] = [await outcome([...args, ...faults]), await outcome([...args, ...faults])];
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toMatch(/^faults: \d+ \S+(, \d+ \S+)*\n$/);
    expect(second.stderr).toBe(first.stderr);
    expect(comparable(await readTensorFile(out, []))).toEqual(comparable(await runWhole(model, x)));
    expect((await outcome([...args, '--faults', 'all:0'])).stderr).toBe('faults: none\n');
  });

  it.each([
    [2, 7],
    [3, 6],
  ])('names the fault that run %d could not survive, and shows those before', async (run, seed) => {
    const faults = ['--repeat', '60', '--faults', 'killed-before-write:0.7', '--seed', String(seed)];
    const { code, stdout, stderr } = await outcome(['run', assembly, '--inputs', inputs, ...faults]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^faults: \d+ killed-before-write\nerror: run \d of 60: the execution failed: Runtime\.ExitError: slice \d: .*signal: killed\n$/,
    );
    expect(stderr).toContain(` run ${run} of 60: `);
    expect(stdout).toMatch(/^y {2}float32\[2,16\]\n/);
    expect(stdout.match(/^run \d, /gm)).toHaveLength(run - 1);
    expect(stdout.match(/: the same bits in the 2 runs that ended$/gm) ?? []).toHaveLength(run - 2);
  });
});

describe('run --input-json', () => {
  it.each(['Both', 'Mine'])('prints the JSON of %s', async (id) => {
    expect(JSON.parse(await succeed(runText(id, '--input-json', '{"text": "a line"}')))).toEqual({ rank: 2 });
  });

  it('reads and writes files', async () => {
    const [input, out] = [fresh('in.json'), link('out.json')];
    fs.writeFileSync(input, '{"text": "a line"}');
    const files = ['--input-json', input, '--out', out];
    expect(await succeed(runText('Before', ...files))).toMatch(/^written to .*out\.json \(.*B\)\n$/);
    const output: unknown = JSON.parse(fs.readFileSync(out, 'utf8'));
    expect(output).toMatchObject({ version: 1, timings: [{ slice: 0 }, { slice: 1 }] });
    expect(isLink(out)).toBe(true);
  });

  it('exits with 1 and names the function that fails', async () => {
    expect(await outcome(runText('Both', '--input-json', '{"text": "throw"}'))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: the execution failed: TypeError: preprocess: no such text\n',
    });
  });
});

describe('run refuses', () => {
  /** Runs without an output, which must not be there afterwards. */
  async function complaint(pipeline: string, ...args: readonly string[]): Promise<string> {
    const out = fresh('y.npz');
    const line = await refuse(['run', pipeline, '--out', out, ...args]);
    expect(fs.readdirSync(path.dirname(out))).toEqual([]);
    return line;
  }

  it('an input that does not fit', async () => {
    const unfit = await save({ X: float32([2, 16]) });
    expect(await complaint(assembly, '--inputs', unfit)).toContain(
      "the model has no input 'X': it takes 'x'",
    );
  });

  const UNFIT = '--inputs must be for a pipeline that takes and returns tensors, got one with';
  it.each([
    ['After', `${UNFIT} a postprocess function: use --input-json`],
    ['Both', `${UNFIT} a preprocess and a postprocess function: use --input-json`],
    ['Mine', 'must be the state machine of a pipeline, got one of your own: pass it JSON with '],
  ])('tensors for the pipeline %s, before anything starts', async (id, message) => {
    expect(await complaint(texts, '--pipeline', machine(id), '--inputs', inputs)).toContain(message);
  });

  const large = fresh('large.json');
  fs.writeFileSync(large, JSON.stringify('x'.repeat(262_144)));
  const taken = temporaryFolder();
  fs.mkdirSync(path.join(taken, 'y.npz'));

  it.each<[readonly string[], string]>([
    [[], 'run must have --inputs or --input-json, got neither: add one'],
    [['--inputs', 'x', '--repeat', '1'], 'It must be a whole number from 2 to 10000'],
    [['--input-json', '{}', '--repeat', '9'], "'--repeat <n>' cannot be used with option '--input-json"],
    [['--inputs', 'x.npz', '--input-json', '{}'], "cannot be used with option '--inputs <file>'"],
    [['--input-json', 'photo.json'], '--input-json must be JSON, or a file with JSON, got neither a file'],
    [['--input-json', '{}', '--out', 'y.npz'], '--out of --input-json must end in .json'],
    [['--input-json', large], 'the input must be at most 262144 bytes as JSON, got 262146: '],
    [['--inputs', 'none.npz', '--out', 'y.npz'], "tensor file 'none.npz' must be readable, got no such file"],
    [['--inputs', 'x', '--out', 'y.csv'], '--out must end in .safetensors, .npz or .json'],
    [['--inputs', 'x', '--out', path.join(taken, 'y.npz')], '--out must name a file, got the folder'],
    [
      ['--input-json', '{}', '--simulate', 'slow'],
      "'slow' is invalid. Allowed choices are none, aws, aws-vpc.",
    ],
    [['--input-json', '{}', '--faults', 's3-504:0.1'], "got 's3-504': the kinds are all, s3-503,"],
  ])('the flags %j', async (args, message) => {
    expect(await refuse(['run', assembly, ...args])).toContain(message);
    expect(fs.readdirSync(taken)).toEqual(['y.npz']);
  });
});
