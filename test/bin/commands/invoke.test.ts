import { execFile, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as path from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  type ExecutionListItem,
} from '@aws-sdk/client-sfn';
import { App, type CfnElement, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import { decodeInlineTensor, type ExecutionOutput } from '../../../client';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { SlicedInferencePipeline, Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { comparable } from '../../support/arbitrary-tensors';
import { pickyAboutColumns } from '../../support/command-models';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { isLink, link } from '../../support/links-and-pipes';
import { CLI, cli, outcome, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { runWhole } from '../../support/run-slices';
import { shareZips } from '../../support/share-zips';
import { serveStack, type ServedStack } from '../../support/served-stack';
import { float32, int64 } from '../../support/tensors';
import { until } from '../../support/until';

const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
const STANDARD = sfn.StateMachineType.STANDARD;

const PREPROCESS = `exports.handler = async ({ text }) => {
  if (text === 'wait') await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (text === 'throw') throw new TypeError('no such text');
  const data = Array.from({ length: 16 }, (_, at) => text.charCodeAt(at % text.length) / 256);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
};`;
const POSTPROCESS = `exports.handler = async ({ outputs }) => ({ label: 'of ' + outputs.tensors.y.shape.length });`;

const model = saveModel(mlp(3));

/** One stack with a pipeline of each kind. `chosen` names one of them. */
function synthesizeStack(): { readonly assembly: string; readonly chosen: string } {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const add = (id: string, props: SlicedInferencePipelineProps): SlicedInferencePipeline => {
    const slicing = Slicing.count(2);
    return new SlicedInferencePipeline(stack, id, {
      ...{ architecture, slicing, removalPolicy: RemovalPolicy.DESTROY },
      ...props,
    });
  };
  const { stateMachine } = add('Fast', { modelPath: model });
  add('Steady', { modelPath: model, stateMachineType: STANDARD });
  add('Picky', { modelPath: saveModel(pickyAboutColumns(4)) });
  const preprocess = own(stack, 'Before', PREPROCESS);
  const postprocess = own(stack, 'After', POSTPROCESS);
  const texts = add('Texts', { modelPath: model, stateMachineType: STANDARD, preprocess, postprocess });
  new sfn.StateMachine(stack, 'Mine', {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(texts.asFragment(stack, 'Read')),
  });
  const logicalId = stack.resolve(stack.getLogicalId(stateMachine.node.defaultChild as CfnElement)) as string;
  return { assembly: shareZips(app.synth().directory), chosen: `Stack/${logicalId}` };
}

function own(stack: Stack, id: string, source: string): lambda.Function {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'index.js'), source);
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_22_X,
    timeout: Duration.minutes(10),
    architecture,
  });
}

type Tensors = ReadonlyMap<string, RawTensor>;
const x: Tensors = new Map([['x', float32([2, 16])]]);

let served: ServedStack;
let stepFunctions: SFNClient;
let expected: Tensors;
async function save(tensors: Tensors, name = 'x.npz'): Promise<string> {
  const file = path.join(temporaryFolder(), name);
  await writeTensorFile(file, tensors);
  return file;
}

function saveText(text: string, name: string): string {
  const file = path.join(temporaryFolder(), name);
  fs.writeFileSync(file, text);
  return file;
}

/** Arguments of the command for one of the pipelines. */
function call(pipeline: string, ...args: readonly string[]): string[] {
  return ['invoke', '--state-machine', served.arn(pipeline), ...args];
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

/** ARN of the state machine that is not that of a pipeline. */
async function ownMachine(): Promise<string> {
  const { stateMachines = [] } = await stepFunctions.send(new ListStateMachinesCommand({}));
  return stateMachines.find(({ name }) => name?.includes('Mine'))?.stateMachineArn ?? '';
}

async function executions(pipeline: string): Promise<readonly ExecutionListItem[]> {
  const listed = await stepFunctions.send(
    new ListExecutionsCommand({ stateMachineArn: served.arn(pipeline) }),
  );
  return listed.executions ?? [];
}

describe('sliced-inference', () => {
  // In a block, because the command must end before its temporary folder is removed.
  beforeAll(async () => {
    const { assembly, chosen } = synthesizeStack();
    served = await serveStack(assembly, chosen);
    const { environment: env } = served;
    stepFunctions = new SFNClient({
      region: env.AWS_REGION,
      endpoint: env.AWS_ENDPOINT_URL_SFN,
      credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
      requestHandler: { httpsAgent: new https.Agent({ ca: fs.readFileSync(env.NODE_EXTRA_CA_CERTS) }) },
    });
    expected = await runWhole(model, x);
  });
  afterAll(async () => {
    stepFunctions.destroy();
    await served.stop();
  });

  describe('invoke', () => {
    it.each(['.npz', '.json', '.safetensors'])(
      'writes the outputs of the unsliced model to %s',
      async (extension) => {
        const out = link(`y${extension}`);
        const text = await succeed(call('Fast', '--inputs', await save(x), '--out', out), local());
        expect(text).toMatch(
          /^slice +weights .*\n +0 .*\n +1 .*\nexecution arn:aws:states:\S+:express:\S+\nwritten to .*y\.\w+ \(.*B\)\n$/,
        );
        expect(comparable(await readTensorFile(out, []))).toEqual(comparable(expected));
        expect(isLink(out)).toBe(true);
        expect(fs.readdirSync(path.dirname(fs.realpathSync(out)))).toEqual([path.basename(out)]);
      },
    );

    // The limit of a process: no file may be larger than 512 bytes. The file of the results is.
    (process.platform === 'win32' ? it.skip : it)(
      'says where the results are that it could not write',
      async () => {
        const out = path.join(temporaryFolder(), 'y.json');
        const inputs = await save(new Map([['x', float32([64, 16])]]));
        const args = call('Fast', '--inputs', inputs, '--results', 's3', '--out', out);
        const limited = ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, CLI, ...args];
        const env = { ...process.env, ...local().env };
        const run = promisify(execFile)('sh', limited, { env });
        await expect(run).rejects.toMatchObject({
          code: 2,
          stderr: expect.stringMatching(
            /^note: the execution succeeded: arn:aws:states:\S+; its results are in s3:\/\/stack-fast\S+\/outputs\/\S+\.safetensors\nerror: --out must name a file that can be written, got EFBIG for '.*y\.json': choose another file\n$/,
          ) as string,
        });
        expect(fs.readdirSync(path.dirname(out))).toEqual([]);
      },
    );

    it('asks for results in the output alone, of which nothing is in S3', async () => {
      const args = ['--inputs', await save(x), '--results', 'inline', '--json'];
      const { output } = JSON.parse(await succeed(call('Fast', ...args), local())) as {
        output: ExecutionOutput;
      };
      expect(Object.keys(output.outputs)).toEqual(['tensors']);
      const { tensors = {} } = output.outputs;
      expect(decodeInlineTensor('y', tensors.y)).toEqual(expected.get('y'));
    });

    it('prints the output that the execution returned', async () => {
      const args = ['--inputs', await save(x), '--results', 's3', '--json'];
      const printed = await succeedWithJson(call('Steady', ...args), local());
      const { executionArn, output } = printed as { executionArn: string; output: ExecutionOutput };
      const described = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      expect(output).toEqual(JSON.parse(described.output ?? ''));
      expect(Object.keys(output.outputs)).toEqual(['s3']);
    });

    it('names the flag for larger results', async () => {
      const args = ['--inputs', await save(x), '--results', 's3'];
      const { code, stdout, stderr } = await outcome(
        call('Fast', ...args, '--max-result-bytes', '100'),
        local(),
      );
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^error: the results 'outputs\/\S+' must have at most 100 bytes, got \d+: raise --max-result-bytes \(execution arn:\S+\)\n$/,
      );
      await succeed(call('Fast', ...args, '--max-result-bytes', '1MB'), local());
    });

    it('names the flag for results that are too large for the output', async () => {
      const inputs = await save(new Map([['x', float32([10_000, 16])]]));
      const { code, stderr } = await outcome(
        call('Fast', '--inputs', inputs, '--results', 'inline'),
        local(),
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: the execution failed: InvalidInput: .*inline results must have at most .*: pass --results auto or s3, so that the results are in S3 \(execution arn:/,
      );
    });

    it('reads nested arrays and prints a summary of the outputs', async () => {
      const row = `[${Array(16).fill(0).join(', ')}]`;
      const text = await succeed(
        call('Fast', '--inputs', saveText(`{"x": [${row}, ${row}]}`, 'x.json')),
        local(),
      );
      expect(text).toMatch(/\noutput +type +first values +min +max\ny +float32\[2,\d+\] +\S+ .*\n$/);
    });

    it('takes the state machine from the environment, and runs a Standard one', async () => {
      const printed = await succeedWithJson(
        ['invoke', '--inputs', await save(x)],
        local({ STATE_MACHINE_ARN: served.arn('Steady') }),
      );
      const { executionArn, output } = printed as { executionArn: string; output: ExecutionOutput };
      expect(executionArn).toMatch(/^arn:aws:states:us-east-1:\d+:execution:/);
      expect(output.timings.map(({ slice }) => slice)).toEqual([0, 1]);
      expect(output.outputs).toMatchObject({
        s3: { bucket: expect.any(String) as string, key: expect.stringMatching(/^outputs\//) as string },
        tensors: { y: { dtype: 'float32' } },
      });
    });

    it('exits with 1 and names slice and execution if the execution fails', async () => {
      const out = path.join(temporaryFolder(), 'y.npz');
      const inputs = await save(new Map([['x', float32([1, 5])]]));
      expect(await cli(call('Picky', '--inputs', inputs, '--out', out), local())).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: expect.stringMatching(
          /^error: the execution failed: SliceFailed: slice 0: [^\n]+ \(execution arn:aws:states:[^\n]+\)\n$/,
        ) as string,
        leftovers: [],
      });
      expect(fs.existsSync(out)).toBe(false);
    });

    it('passes JSON to a pipeline with functions of the user, from the command line and from a file', async () => {
      const text = await succeed(call('Texts', '--input-json', '{"text": "a line"}'), local());
      expect(JSON.parse(text)).toEqual({ label: 'of 2' });
      const out = link('answer.json');
      const file = saveText('{"text": "a line"}', 'text.json');
      expect(await succeed(call('Texts', '--input-json', file, '--out', out), local())).toMatch(
        /^execution arn:\S+\nwritten to .*answer\.json \(.*B\)\n$/,
      );
      expect(JSON.parse(fs.readFileSync(out, 'utf8'))).toEqual({ label: 'of 2' });
      expect(isLink(out)).toBe(true);
    });

    it('passes JSON to a state machine of the user that contains a pipeline', async () => {
      const call = ['invoke', '--state-machine', await ownMachine(), '--input-json'];
      expect(await succeedWithJson([...call, '{"text": "a line"}'], local())).toEqual({
        executionArn: expect.stringMatching(/:express:Stack-Mine/) as string,
        output: { label: 'of 2' },
      });
      const { code, stderr } = await outcome([...call, '{"text": "throw"}'], local());
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: the execution failed: TypeError: preprocess: no such text \(execution arn:\S+\)\n$/,
      );
    });

    it('prints the JSON of an execution with its ARN', async () => {
      expect(await succeedWithJson(call('Texts', '--input-json', '{"text": "a"}'), local())).toEqual({
        executionArn: expect.stringMatching(/^arn:aws:states:/) as string,
        output: { label: 'of 2' },
      });
    });

    it('names the error of a function of the user', async () => {
      const { code, stderr } = await outcome(call('Texts', '--input-json', '{"text": "throw"}'), local());
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: the execution failed: TypeError: preprocess: no such text \(execution arn:\S+\)\n$/,
      );
    });

    it('exits with 1 when even the first request takes longer than --timeout', async () => {
      const mute = http.createServer(() => undefined);
      const endpoint = `http://127.0.0.1:${await listen(mute, 0)}`;
      try {
        for (const input of [
          ['--inputs', await save(x)],
          ['--input-json', '{}'],
        ]) {
          const { code, stderr } = await outcome(
            call('Fast', ...input, '--timeout', '1s'),
            local({ AWS_ENDPOINT_URL_SFN: endpoint }),
          );
          expect([code, stderr]).toEqual([
            1,
            'error: the call must end within 1 s, got no result: raise --timeout\n',
          ]);
        }
      } finally {
        await closeServer(mute);
      }
    });

    it('exits with 1 when the wait is too long, and names the execution', async () => {
      const { code, stderr } = await outcome(
        call('Texts', '--input-json', '{"text": "wait"}', '--timeout', '5s', '--stop-on-abort'),
        local(),
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: the call must end within 5 s, got no result: raise --timeout \(execution arn:\S+\)\n$/,
      );
      const [arn] = /arn:[^)]+/.exec(stderr) ?? [];
      const listed = await executions('Texts');
      expect(listed.find(({ executionArn }) => executionArn === arn)?.status).toBe('ABORTED');
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
    it('inputs that do not fit, before it starts anything', async () => {
      const before = await executions('Steady');
      const line = async (tensors: Tensors) =>
        refuse(call('Steady', '--inputs', await save(tensors)), local());
      expect(await line(new Map([['x', int64([1, 1], [1])]]))).toBe(
        "input 'x' expects float32[batch,16], got int64[1,1]: convert it or check the input's name",
      );
      expect(await line(new Map([['X', float32([2, 16])]]))).toBe("the model has no input 'X': it takes 'x'");
      expect(await executions('Steady')).toEqual(before);
    });

    it('a call without an input, with two, with a missing file, and with text that is no JSON', async () => {
      const line = (...args: readonly string[]) => refuse(call('Fast', ...args), local());
      expect(await line()).toBe('invoke must have --inputs or --input-json, got neither: add one of them');
      expect(await line('--inputs', 'x.npz', '--input-json', '{}')).toMatch(
        /'--input-json <file or text>' cannot be used with option '--inputs <file>'/,
      );
      expect(await line('--input-json', '{}', '--results', 'inline')).toMatch(
        /'--results <place>' cannot be used with option '--input-json <file or text>'/,
      );
      expect(await line('--inputs', '/none/x.npz')).toBe(
        "--inputs must name a file or a folder, got '/none/x.npz': check the path",
      );
      expect(await line('--input-json', 'photo.json')).toMatch(
        /^--input-json must be JSON, or a file with JSON, got neither a file nor JSON: pass JSON such as /,
      );
    });

    it('tensors for a pipeline with functions of the user', async () => {
      expect(await refuse(call('Texts', '--inputs', await save(x)), local())).toBe(
        '--inputs must be for a pipeline that takes and returns tensors, ' +
          'got one with a preprocess and a postprocess function: use --input-json',
      );
    });

    it('tensors for a state machine that is not that of a pipeline', async () => {
      const mine = await ownMachine();
      expect(await refuse(['invoke', '--state-machine', mine, '--inputs', await save(x)], local())).toBe(
        `${mine} must be the state machine of a SlicedInferencePipeline, got a comment without a signature: ` +
          'check the ARN, use --input-json for your own state machine, or deploy with this version of the package',
      );
    });

    it('to stop an Express execution', async () => {
      for (const input of [
        ['--inputs', await save(x)],
        ['--input-json', '{}'],
      ]) {
        expect(await refuse(call('Fast', ...input, '--stop-on-abort'), local())).toMatch(
          /^--stop-on-abort must be for a Standard state machine, got the Express one arn:\S+: leave it out, because /,
        );
      }
    });

    it('a missing or malformed ARN, and that of no state machine', async () => {
      const inputs = ['--inputs', await save(x)];
      expect(await refuse(['invoke', ...inputs], local())).toMatch(
        /^--state-machine must be the ARN of a state machine, got none: pass the flag, or set STATE_MACHINE_ARN, for a local cloud with `\. \.\/cloud\.env`$/,
      );
      expect(await refuse(['invoke', '--state-machine', 'Fast', ...inputs], local())).toBe(
        "--state-machine must be the ARN of a state machine, got 'Fast': copy it from the outputs of the stack",
      );
      const other = served.arn('Fast').replace(/[^:]+$/, 'Other');
      expect(await refuse(['invoke', '--state-machine', other, ...inputs], local())).toMatch(
        /^the state machine \S+:Other must exist in account \d+ and region us-east-1, got StateMachineDoesNotExist/,
      );
    });

    it('output files that it cannot write, before it sends a request', async () => {
      const folder = temporaryFolder();
      const inputs = await save(x);
      const line = (...args: readonly string[]) => refuse(call('Fast', ...args), local());
      expect(await line('--inputs', inputs, '--out', path.join(folder, 'y.csv'))).toMatch(
        /^--out must end in \.safetensors, \.npz or \.json/,
      );
      expect(await line('--inputs', inputs, '--out', path.join(folder, 'none/y.npz'))).toMatch(
        /^--out must be in an existing folder/,
      );
      expect(await line('--input-json', '{}', '--out', path.join(folder, 'y.npz'))).toMatch(
        /^--out of --input-json must end in \.json/,
      );
      if (process.platform !== 'linux') return;
      expect(await line('--inputs', inputs, '--out', '/proc/y.npz')).toMatch(
        /^--out must name a file that can be written, got .* for '\/proc\/y\.npz': choose another file$/,
      );
    });

    it('to wait for no time or for months', async () => {
      const line = (time: string) => refuse(call('Fast', '--input-json', '{}', '--timeout', time), local());
      expect(await line('soon')).toMatch(/It must be a time such as 10m, 2s or 500ms/);
      expect(await line('100000m')).toMatch(/It must be at most 24 days/);
    });

    it('results of no size', async () => {
      const line = (size: string) =>
        refuse(call('Fast', '--inputs', 'x.npz', '--max-result-bytes', size), local());
      expect(await line('large')).toMatch(/It must be a size such as 64MB/);
      expect(await line('0')).toMatch(/It must be a size from 1 byte to 8191 TB/);
      expect(await line('9000TB')).toMatch(/It must be a size from 1 byte to 8191 TB/);
    });

    it('to call AWS without credentials', async () => {
      const without = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
      expect(await refuse(call('Fast', '--inputs', await save(x)), local(without))).toMatch(
        /^AWS credentials must be found, got CredentialsProviderError .*: set AWS_PROFILE, sign in/,
      );
    });

    it('credentials that Step Functions does not know', async () => {
      const wrong = { AWS_SECRET_ACCESS_KEY: 'wrong' };
      expect(await refuse(call('Fast', '--inputs', await save(x)), local(wrong))).toMatch(
        /^AWS credentials must be valid, got .*: check AWS_PROFILE or the access key$/,
      );
    });

    it('to reach the local cloud without its certificate authority', async () => {
      expect(
        await refuse(call('Fast', '--inputs', await save(x)), local({ NODE_EXTRA_CA_CERTS: '' })),
      ).toMatch(
        /^the certificates of Step Functions and S3 must be trusted, got UNABLE_TO_VERIFY_LEAF_SIGNATURE .*: set NODE_EXTRA_CA_CERTS to /,
      );
    });

    it('an ARN of another region than that of the endpoint', async () => {
      const other = served.arn('Fast').replace('us-east-1', 'eu-west-1');
      expect(await refuse(['invoke', '--state-machine', other, '--inputs', await save(x)], local())).toMatch(
        /^a request must be for the region of the endpoint that it reaches, got .*: check the region in the ARN, AWS_REGION,/,
      );
    });

    it('an endpoint that does not answer', async () => {
      const nowhere = { AWS_ENDPOINT_URL_SFN: 'https://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
      expect(await refuse(call('Fast', '--inputs', await save(x)), local(nowhere))).toMatch(
        /^Step Functions and S3 must be reachable in region us-east-1, got ECONNREFUSED .*: check the region in the ARN/,
      );
    });
  });
});
