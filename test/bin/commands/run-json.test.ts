/** `run` with JSON, for pipelines with functions of the user and for state machines of the user. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { writeTensorFile } from '../../../bin/tensor-files';
import { SlicedInferencePipeline, Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { infer, LocalCloud } from '../../../local';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { isLink, link } from '../../support/links-and-pipes';
import { cli, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { shareZips } from '../../support/share-zips';
import { float32 } from '../../support/tensors';

const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
const PREPROCESS = `exports.handler = async ({ text }) => {
  if (text === 'throw') throw new TypeError('no such text');
  const data = Array.from({ length: 16 }, (_, at) => text.charCodeAt(at % text.length) / 256);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
};`;
const POSTPROCESS = `exports.handler = async ({ outputs }) => ({ rank: outputs.tensors.y.shape.length });`;
/** A request as slices take it. */
const REQUEST = JSON.stringify({
  version: 1,
  inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data: Array<number>(16).fill(1) } } },
});

const model = saveModel(mlp(3));
let assembly: string;
beforeAll(() => {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const add = (id: string, props: Partial<SlicedInferencePipelineProps>) =>
    new SlicedInferencePipeline(stack, id, {
      ...{ modelPath: model, slicing: Slicing.count(2), architecture, removalPolicy: RemovalPolicy.DESTROY },
      ...props,
    });
  const own = (id: string, source: string): lambda.Function => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'index.js'), source);
    return new lambda.Function(stack, id, {
      code: lambda.Code.fromAsset(folder),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_22_X,
      timeout: Duration.minutes(1),
      architecture,
    });
  };
  add('Before', { preprocess: own('Read', PREPROCESS) });
  add('After', { postprocess: own('Name', POSTPROCESS) });
  const both = add('Both', {
    ...{ preprocess: own('ReadText', PREPROCESS), postprocess: own('NameText', POSTPROCESS) },
    stateMachineType: sfn.StateMachineType.STANDARD,
  });
  new sfn.StateMachine(stack, 'Mine', {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(both.asFragment(stack, 'Sentences')),
  });
  assembly = shareZips(app.synth().directory);
});

/** Logical ids without the digits that CDK appends: those of a construct's own state machine have its path before them. */
const machine = (id: string): string => (id === 'Mine' ? id : `${id}StateMachine`);

function run(id: string, ...args: readonly string[]): string[] {
  return ['run', assembly, '--pipeline', machine(id), ...args];
}

async function tensors(): Promise<string> {
  const file = path.join(temporaryFolder(), 'x.npz');
  await writeTensorFile(file, new Map([['x', float32([1, 16])]]));
  return file;
}

describe('run --input-json', () => {
  it.each([
    ['Both', '{"text": "a line"}'],
    ['After', REQUEST],
    ['Mine', '{"text": "a line"}'],
  ])('prints the JSON of %s', async (id, input) => {
    expect(JSON.parse(await succeed(run(id, '--input-json', input)))).toEqual({ rank: 2 });
  });

  it('reads and writes files, and draws the slices in the timeline', async () => {
    const folder = temporaryFolder();
    const input = path.join(folder, 'in.json');
    const [out, trace] = ['out.json', 'trace.json'].map(link);
    fs.writeFileSync(input, '{"text": "a line"}');
    const files = ['--input-json', input, '--out', out, '--trace', trace];
    expect(await succeed(run('Before', ...files))).toMatch(/^written to .*out\.json \(.*B\)\n$/);
    expect(JSON.parse(fs.readFileSync(out, 'utf8'))).toMatchObject({
      version: 1,
      timings: [{ slice: 0 }, { slice: 1 }],
    });
    const { traceEvents } = JSON.parse(fs.readFileSync(trace, 'utf8')) as { traceEvents: { name: string }[] };
    expect(traceEvents.filter(({ name }) => name === 'run')).toHaveLength(2);
    expect([out, trace].map(isLink)).toEqual([true, true]);
  });

  it('prints the output with --json beside a file too', async () => {
    const out = path.join(temporaryFolder(), 'out.json');
    const args = ['--input-json', '{"text": "a"}', '--out', out];
    expect(await succeedWithJson(run('Both', ...args))).toEqual({ rank: 2 });
    expect(JSON.parse(fs.readFileSync(out, 'utf8'))).toEqual({ rank: 2 });
  });

  it('exits with 1 and names the function that fails', async () => {
    expect(await cli(run('Both', '--input-json', '{"text": "throw"}'))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: the execution failed: TypeError: preprocess: no such text\n',
      leftovers: [],
    });
  });
});

describe('run refuses', () => {
  it('tensors for a pipeline with functions of the user, before anything starts', async () => {
    const files = ['--inputs', await tensors(), '--out', path.join(temporaryFolder(), 'y.npz')];
    const expected = (functions: string): string =>
      `--inputs must be for a pipeline that takes and returns tensors, got one with ${functions}: use --input-json`;
    expect(await refuse(run('Before', ...files))).toBe(expected('a preprocess function'));
    expect(await refuse(run('After', ...files))).toBe(expected('a postprocess function'));
    expect(await refuse(run('Both', ...files))).toBe(expected('a preprocess and a postprocess function'));
    expect(await refuse(run('Mine', ...files))).toMatch(
      /^'Mine\w+' must be the state machine of a pipeline, got one of your own: pass it JSON with /,
    );
  });

  it('no input, two, tensors without a file for the outputs, text that is no JSON, and too much of it', async () => {
    expect(await refuse(run('Both'))).toBe(
      'run must have --inputs or --input-json, got neither: add one of them',
    );
    expect(await refuse(run('Both', '--inputs', 'x.npz', '--input-json', '{}'))).toMatch(
      /'--input-json <file or text>' cannot be used with option '--inputs <file>'/,
    );
    expect(await refuse(run('Both', '--inputs', await tensors()))).toBe(
      '--inputs must come with --out, got none: add --out y.npz',
    );
    expect(await refuse(run('Both', '--input-json', 'photo.json'))).toMatch(
      /^--input-json must be JSON, or a file with JSON, got neither a file nor JSON/,
    );
    expect(await refuse(run('Both', '--input-json', '{}', '--out', 'y.npz'))).toMatch(
      /^--out of --input-json must end in \.json/,
    );
    const large = path.join(temporaryFolder(), 'large.json');
    fs.writeFileSync(large, JSON.stringify('x'.repeat(262_144)));
    expect(await refuse(run('Both', '--input-json', large))).toMatch(
      /^the input must be at most 262144 bytes as JSON, got 262146: /,
    );
  });
});

test('infer of the local cloud refuses a pipeline with functions of the user', async () => {
  const cloud = await LocalCloud.start(assembly, { pipeline: machine('After') });
  try {
    await expect(infer(cloud, new Map([['x', float32([1, 16])]]))).rejects.toThrow(
      'infer expects a pipeline that takes and returns tensors, got one with a postprocess function: use cloud.execute',
    );
  } finally {
    await cloud.close();
  }
});
