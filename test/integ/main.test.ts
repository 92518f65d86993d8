/** `npm run integ` as a process. A local cloud stands for AWS, and a script for CDK's command line: nothing here runs on AWS. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalCloud } from '../../local';
import { ARCHITECTURE } from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { ARN_OUTPUT, buildApp, STACKS } from './app';

const PROGRAM = path.join(__dirname, '../../dist/test/integ/main.js');

/** Neither the user's files nor the metadata service of a machine on AWS. */
const ISOLATED = {
  PATH: process.env.PATH,
  HOME: temporaryFolder(),
  AWS_EC2_METADATA_DISABLED: 'true',
};

let assembly: string;
let cloud: LocalCloud;
let variables: NodeJS.ProcessEnv;
beforeAll(async () => {
  assembly = buildApp({
    modelPath: saveModel(mlp(3)),
    architecture: ARCHITECTURE,
    outdir: path.join(temporaryFolder(), 'cdk.out'),
  }).app.synth().directory;
  cloud = await LocalCloud.start(assembly, { pipeline: STACKS.express });
  const { stepFunctions, s3 } = cloud;
  variables = {
    ...ISOLATED,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_SFN: stepFunctions.endpoint,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    NODE_EXTRA_CA_CERTS: s3.certificateAuthority?.file,
  };
});
afterAll(() => cloud.close());

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program, and sends each signal as soon as the output has the text before it. */
function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signals: readonly (readonly [text: string, signal: NodeJS.Signals])[] = [],
): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', PROGRAM, ...args], { env });
    const output = { stdout: '', stderr: '' };
    const left = [...signals];
    child.stdout.on('data', (part: Buffer) => {
      output.stdout += part.toString();
      if (left.length > 0 && output.stdout.includes(left[0][0])) child.kill(left.shift()?.[1]);
    });
    child.stderr.on('data', (part: Buffer) => (output.stderr += part.toString()));
    child.once('close', (code) => {
      resolve({ code, ...output });
    });
  });
}

/** What `cdk deploy --outputs-file` writes of the stacks of the local cloud. */
function outputsOf(...stacks: readonly string[]): string {
  const { stateMachineArn } = cloud.pipeline;
  return JSON.stringify(
    Object.fromEntries(stacks.map((stack) => [stack, { [ARN_OUTPUT]: stateMachineArn }])),
  );
}

/** A program that prints its command, writes these outputs, and never ends if the command is one of `endless`. */
function cdkThat(outputs: string, ...endless: readonly string[]): string {
  const file = path.join(temporaryFolder(), 'cdk.js');
  fs.writeFileSync(
    file,
    `const [, , command, ...args] = process.argv;
     const at = args.indexOf('--outputs-file');
     if (at >= 0) require('node:fs').writeFileSync(args[at + 1], ${JSON.stringify(outputs)});
     console.log('cdk ' + command);
     if (${JSON.stringify(endless)}.includes(command)) setInterval(() => undefined, 1000);`,
  );
  return file;
}

it('says in one line what it needs, and exits with 2, without credentials', async () => {
  const { code, stdout, stderr } = await run([], ISOLATED);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^npm run integ needs an AWS account: set credentials and a region .*\n$/);
});

it('refuses a pipeline that it does not have', async () => {
  expect(await run(['--only', 'fast'], variables)).toEqual({
    code: 2,
    stdout: '',
    stderr: "--only must be one of express, standard, denied, got 'fast'\n",
  });
});

it('compares a deployment that it reaches through the variables of the SDK', async () => {
  const outputs = path.join(temporaryFolder(), 'outputs.json');
  fs.writeFileSync(outputs, outputsOf(STACKS.express));
  const args = ['--assembly', assembly, '--outputs', outputs, '--only', 'express'];
  const { code, stdout, stderr } = await run(args, variables);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /^confirmed {4}express {3}a small request returns the same bits, inside the output$/m,
  );
  expect(stdout).toMatch(/\n12 confirmed, 0 differs, 7 not checked\n$/);
});

it('shows a cloud that throws as a row, and goes on with the next pipeline', async () => {
  const outputs = path.join(temporaryFolder(), 'outputs.json');
  // The service does not know the ARN of `standard`, and the others have none.
  const unknown = `${cloud.pipeline.stateMachineArn}-other`;
  fs.writeFileSync(outputs, JSON.stringify({ [STACKS.standard]: { [ARN_OUTPUT]: unknown } }));
  const { code, stdout, stderr } = await run(['--assembly', assembly, '--outputs', outputs], variables);
  expect([code, stderr]).toEqual([1, '']);
  const claim = 'both clouds describe the pipeline: AWS threw';
  const rows = stdout.split('\n').slice(0, 3);
  expect(rows).toEqual([
    expect.stringContaining(`differs      express   ${claim} Error: the outputs must have the ARN`),
    expect.stringContaining(`differs      standard  ${claim} StateMachineDoesNotExist: `),
    expect.stringContaining(`differs      denied    ${claim} Error: the outputs must have the ARN`),
  ]);
  expect(stdout).toMatch(/\n0 confirmed, 3 differs, 6 not checked\n$/);
});

describe('a signal', () => {
  it('during the comparison leaves its rows, ends it and destroys the stacks', async () => {
    const args = ['--assembly', assembly, '--cdk', cdkThat(outputsOf(STACKS.express))];
    const { code, stdout, stderr } = await run(args, variables, [['confirmed', 'SIGINT']]);
    expect([code, stderr]).toEqual([
      130,
      'destroying the stacks; a second signal leaves them\ninterrupted by SIGINT\n',
    ]);
    expect(stdout).toMatch(/^cdk deploy\nconfirmed [^]* \d+ not checked\ncdk destroy\n$/);
    expect(stdout).not.toContain(' denied ');
  });

  it('during the deployment ends it and destroys the stacks', async () => {
    const args = ['--assembly', assembly, '--cdk', cdkThat(outputsOf(), 'deploy')];
    expect(await run(args, variables, [['cdk deploy', 'SIGTERM']])).toEqual({
      code: 143,
      stdout: 'cdk deploy\ncdk destroy\n',
      stderr: 'destroying the stacks; a second signal leaves them\ninterrupted by SIGTERM\n',
    });
  });

  it('during the destruction after another one leaves the stacks, and says so', async () => {
    const args = ['--assembly', assembly, '--cdk', cdkThat(outputsOf(), 'deploy', 'destroy')];
    const signals = [
      ['cdk deploy', 'SIGINT'],
      ['cdk destroy', 'SIGINT'],
    ] as const;
    const { code, stderr } = await run(args, variables, signals);
    expect([code, stderr]).toEqual([
      130,
      [
        'destroying the stacks; a second signal leaves them',
        'the stacks were not destroyed: delete them in the console',
        'interrupted by SIGINT\n',
      ].join('\n'),
    ]);
  });
});
