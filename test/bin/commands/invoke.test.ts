import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as path from 'node:path';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  type ExecutionListItem,
} from '@aws-sdk/client-sfn';
import type { CfnElement } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import { decodeInlineTensor, type ExecutionOutput } from '../../../client';
import { processorClass } from '../../../lambda/telemetry/processor';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { comparable } from '../../support/arbitrary-tensors';
import { fileWith } from '../../support/changed-json';
import { pickyAboutColumns } from '../../support/command-models';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { isLink, link } from '../../support/links-and-pipes';
import { cli, outcome, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { runWhole } from '../../support/run-slices';
import { serve, type Serving } from '../../support/served-stack';
import { float32 } from '../../support/tensors';
import { TextsStack } from '../../support/texts-stack';
import { until } from '../../support/until';

const model = saveModel(mlp(3));

/** One stack with a pipeline of each kind. `chosen` names one of them. */
function synthesizeStack(): { readonly assembly: string; readonly chosen: string } {
  const texts = new TextsStack();
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const { stateMachine } = texts.add('Fast', { modelPath: model });
  texts.add('Steady', { modelPath: model, stateMachineType });
  texts.add('Picky', { modelPath: saveModel(pickyAboutColumns(4)) });
  const both = texts.add('Texts', { modelPath: model, stateMachineType }, 'preprocess', 'postprocess');
  texts.addMachine('Mine', both);
  const { stack } = texts;
  const logicalId = stack.resolve(stack.getLogicalId(stateMachine.node.defaultChild as CfnElement)) as string;
  return { assembly: texts.synthesize(), chosen: `Stack/${logicalId}` };
}

type Tensors = ReadonlyMap<string, RawTensor>;
const x: Tensors = new Map([['x', float32([2, 16])]]);

let serving: Serving;
/** What the command that serves has printed. */
let served: {
  readonly pipelines: readonly { readonly stateMachineArn: string }[];
  readonly environment: Readonly<Record<string, string>>;
};
let stepFunctions: SFNClient;
let expected: Tensors;
/** A file of the inputs `x`. */
let inputs: string;

async function save(tensors: Readonly<Record<string, RawTensor>>): Promise<string> {
  const file = path.join(temporaryFolder(), 'x.npz');
  await writeTensorFile(file, new Map(Object.entries(tensors)));
  return file;
}

function arnOf(pipeline: string): string {
  const found = served.pipelines.find(({ stateMachineArn }) => stateMachineArn.includes(pipeline));
  return found?.stateMachineArn ?? '';
}

/** Arguments of the command for one of the pipelines. */
function call(pipeline: string, ...args: readonly string[]): string[] {
  return ['invoke', '--state-machine', arnOf(pipeline), ...args];
}

/** Environment of the command: that of the local cloud, and no settings of this machine. */
function local(changes: Readonly<Record<string, string>> = {}) {
  const none = temporaryFolder();
  const files = {
    AWS_CONFIG_FILE: path.join(none, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(none, 'credentials'),
  };
  return { env: { ...served.environment, ...files, AWS_EC2_METADATA_DISABLED: 'true', ...changes } };
}

/** Expects the execution to fail or to take too long, and returns what standard error says. */
async function failure(args: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await outcome(args, local(changes));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  return stderr;
}

/** ARN of the state machine that is not that of a pipeline. */
async function ownMachine(): Promise<string> {
  const { stateMachines = [] } = await stepFunctions.send(new ListStateMachinesCommand({}));
  return stateMachines.find(({ name }) => name?.includes('Mine'))?.stateMachineArn ?? '';
}

async function executions(pipeline: string): Promise<readonly ExecutionListItem[]> {
  const listed = await stepFunctions.send(new ListExecutionsCommand({ stateMachineArn: arnOf(pipeline) }));
  return listed.executions ?? [];
}

describe('sliced-inference', () => {
  // In a block, because the command must end before its temporary folder is removed.
  beforeAll(async () => {
    const { assembly, chosen } = synthesizeStack();
    serving = await serve([assembly, '--pipeline', chosen, '--json']);
    served = JSON.parse(serving.text) as typeof served;
    const { environment: env } = served;
    stepFunctions = new SFNClient({
      region: env.AWS_REGION,
      endpoint: env.AWS_ENDPOINT_URL_SFN,
      credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
      requestHandler: { httpsAgent: new https.Agent({ ca: fs.readFileSync(env.NODE_EXTRA_CA_CERTS) }) },
    });
    expected = await runWhole(model, x);
    inputs = await save({ x: float32([2, 16]) });
  });
  afterAll(async () => {
    stepFunctions.destroy();
    await serving.stop('SIGTERM');
  });

  describe('invoke', () => {
    it('writes the outputs of the unsliced model', async () => {
      const out = link('y.npz');
      const text = await succeed(call('Fast', '--inputs', inputs, '--out', out), local());
      expect(text).toMatch(
        /^slice +load .*\n +0 .*\n +1 .*\n░ load .*\nprocessor: .*\ntotal .*\nexecution arn:aws:states:\S+:express:\S+\nwritten to .*y\.npz \(.*B\)\n$/,
      );
      expect(comparable(await readTensorFile(out, []))).toEqual(comparable(expected));
      expect(isLink(out)).toBe(true);
      expect(fs.readdirSync(path.dirname(fs.realpathSync(out)))).toEqual([path.basename(out)]);
    });

    it('asks for results in the output alone, of which nothing is in S3', async () => {
      const args = ['--inputs', inputs, '--results', 'inline', '--json'];
      const text = await succeed(call('Fast', ...args), local());
      const { outputs } = (JSON.parse(text) as { output: ExecutionOutput }).output;
      expect(Object.keys(outputs)).toEqual(['tensors']);
      const { tensors = {} } = outputs;
      expect(decodeInlineTensor('y', tensors.y)).toEqual(expected.get('y'));
    });

    it('reads nested arrays, and prints the outputs and the figures of repeated runs', async () => {
      const rows = JSON.stringify({ x: [Array(16).fill(0), Array(16).fill(0)] });
      const args = ['--inputs', fileWith(rows, 'x.json'), '--repeat', '3'];
      expect(await succeed(call('Fast', ...args), local())).toMatch(
        /^y  float32\[2,\d+\]\n  \S+ .*\n  min .*\n\nrun 1, .*\nslice [^]*\ncold: .*\nwarm: p50 .*\noutputs: the same bits in all 3 runs\nexecution of run 1: arn:\S+\n$/,
      );
    });

    it('takes the state machine from the environment, and prints the output that a Standard execution returned', async () => {
      const machine = { STATE_MACHINE_ARN: arnOf('Steady') };
      const printed = await succeedWithJson(['invoke', '--inputs', inputs], local(machine));
      const { executionArn, output } = printed as { executionArn: string; output: ExecutionOutput };
      const described = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      expect(output).toEqual(JSON.parse(described.output ?? ''));
      expect(output.timings).toMatchObject([0, 1].map((slice) => ({ slice, processor: processorClass() })));
      expect(output.outputs).toMatchObject({
        s3: { bucket: expect.any(String) as string, key: expect.stringMatching(/^outputs\//) as string },
        tensors: { y: { dtype: 'float32' } },
      });
    });

    it('exits with 1 and names slice and execution if the execution fails', async () => {
      const out = path.join(temporaryFolder(), 'y.npz');
      const unfit = await save({ x: float32([1, 5]) });
      expect(await cli(call('Picky', '--inputs', unfit, '--out', out), local())).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: expect.stringMatching(
          /^error: the execution failed: SliceFailed: slice 0: [^\n]+ \(execution arn:aws:states:[^\n]+\)\n$/,
        ) as string,
        leftovers: [],
      });
      expect(fs.existsSync(out)).toBe(false);
      const repeated = await failure(call('Picky', '--inputs', unfit, '--repeat', '2'));
      expect(repeated).toMatch(/^error: run 1 of 2: the execution failed: SliceFailed: slice 0: /);
    });

    it('passes JSON to a pipeline with functions of the user, from the command line and from a file', async () => {
      const text = await succeed(call('Texts', '--input-json', '{"text": "a line"}'), local());
      expect(JSON.parse(text)).toEqual({ rank: 2 });
      const out = link('answer.json');
      const file = fileWith('{"text": "a line"}', 'text.json');
      expect(await succeed(call('Texts', '--input-json', file, '--out', out), local())).toMatch(
        /^execution arn:\S+\nwritten to .*answer\.json \(.*B\)\n$/,
      );
      expect(JSON.parse(fs.readFileSync(out, 'utf8'))).toEqual({ rank: 2 });
      expect(isLink(out)).toBe(true);
    });

    it('exits with 1 when even the first request takes longer than --timeout', async () => {
      const mute = http.createServer(() => undefined);
      const AWS_ENDPOINT_URL_SFN = `http://127.0.0.1:${await listen(mute, 0)}`;
      const args = call('Fast', '--inputs', inputs, '--timeout', '1s');
      expect(await failure(args, { AWS_ENDPOINT_URL_SFN })).toBe(
        'error: the call must end within 1 s, got no result: raise --timeout\n',
      );
      await closeServer(mute);
    });

    it.each([
      [[], 'goes on, because --stop-on-abort is not set', 'RUNNING'],
      [['--stop-on-abort'], 'was stopped', 'ABORTED'],
    ] as const)('with the flags %j says at Ctrl-C that the execution %s', async (flags, fate, status) => {
      const known = new Set((await executions('Texts')).map(({ executionArn }) => executionArn));
      let child: ChildProcess | undefined;
      const ended = cli(call('Texts', '--input-json', '{"text": "wait"}', ...flags), {
        ...local(),
        onStart: (started) => {
          child = started;
        },
      });
      const started = await until('an execution that waits', async () =>
        (await executions('Texts')).find(({ executionArn = '' }) => !known.has(executionArn)),
      );
      child?.kill('SIGINT');
      expect(await ended).toEqual({
        code: null,
        signal: 'SIGINT',
        stdout: '',
        stderr: `note: the execution ${fate}: ${started.executionArn}\n`,
        leftovers: [],
      });
      const after = await executions('Texts');
      expect(after.find(({ executionArn }) => executionArn === started.executionArn)?.status).toBe(status);
    });
  });

  describe('invoke refuses', () => {
    it.each<[string, readonly string[], RegExp]>([
      ['Fast', [], /^invoke must have --inputs or --input-json, got neither: add one$/],
      ['Fast', ['--input-json', '{}', '--results', 'inline'], /'--results <place>' cannot be used with/],
      ['Fast', ['--inputs', '/none/x.npz'], /^--inputs must name a file, got '\/none\/x\.npz': /],
      ['Fast', ['--input-json', '{}', '--timeout', '100000m'], /It must be at most 24 days/],
      ['Fast', ['--input-json', '{}', '--stop-on-abort'], /must be for a Standard state machine, got the E/],
      ['Texts', ['--inputs', '.'], /got one with a preprocess and a postprocess function: use --input-json$/],
    ])('for the pipeline %s the flags %j', async (pipeline, args, message) => {
      expect(await refuse(call(pipeline, ...args), local())).toMatch(message);
    });

    it('a missing, malformed or unknown ARN, and tensors for a state machine that is not that of a pipeline', async () => {
      const line = (...args: readonly string[]) => refuse(['invoke', ...args, '--inputs', inputs], local());
      expect(await line()).toMatch(
        /^--state-machine must be the ARN of a state machine, got none: copy it from/,
      );
      expect(await line('--state-machine', 'Fast')).toBe(
        "--state-machine must be the ARN of a state machine, got 'Fast': copy it from the outputs of the stack, or set STATE_MACHINE_ARN, for a local cloud with `. ./cloud.env`",
      );
      const mine = await ownMachine();
      expect(await line('--state-machine', mine)).toMatch(
        /must be the state machine of a SlicedInferencePipeline, got a comment without a signature: /,
      );
    });

    it.each<[string, Readonly<Record<string, string>>, RegExp]>([
      ['a wrong key', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /^The request signature .* does not match/],
      [
        'no authority',
        { NODE_EXTRA_CA_CERTS: '' },
        /^AWS must answer, got .*: set NODE_EXTRA_CA_CERTS to the/,
      ],
    ])('to call with %s', async (_, changes, message) => {
      expect(await refuse(call('Fast', '--inputs', inputs), local(changes))).toMatch(message);
    });
  });
});
