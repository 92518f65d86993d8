/** The comparison itself, with two local clouds, of which one stands for AWS: nothing here runs on AWS. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LocalCloud } from '../../local';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { ARN_OUTPUT, buildApp, STACKS } from './app';
import { compareDigests, compareScenarios, describeFindings, judge, measureTimes } from './compare';
import { Deployment } from './deployment';
import { DENIED, REQUESTS } from './scenarios';

const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

function synthesized(layers: number): string {
  const outdir = path.join(temporaryFolder(), 'cdk.out');
  return buildApp({ modelPath: saveModel(mlp(layers)), architecture: ARCHITECTURE, outdir }).app.synth()
    .directory;
}

let assembly: string;
let other: string;
beforeAll(() => {
  assembly = synthesized(3);
  other = synthesized(4);
});

async function cloudWith(directory: string, pipeline: string): Promise<LocalCloud> {
  const cloud = await LocalCloud.start(directory, { pipeline });
  clouds.push(cloud);
  return cloud;
}

async function deployed(directory: string, pipeline: string): Promise<Deployment> {
  const { pipeline: own, stepFunctions, s3 } = await cloudWith(directory, pipeline);
  return Deployment.at({ stateMachineArn: own.stateMachineArn, stepFunctions, s3 });
}

describe('two clouds with the same deployment', () => {
  it.each([
    ['express', STACKS.express, REQUESTS],
    ['standard', STACKS.standard, REQUESTS],
    ['denied', STACKS.denied, DENIED],
  ] as const)('confirm each other: %s', async (subject, stack, scenarios) => {
    const pair = { aws: await deployed(assembly, stack), local: await deployed(assembly, stack) };
    const findings = await compareScenarios(subject, pair, scenarios);
    expect(findings.filter(({ verdict }) => verdict !== 'confirmed')).toEqual([]);
    expect(findings).toHaveLength(scenarios.length);
    expect(compareDigests(subject, pair).verdict).toBe('confirmed');
  });
});

describe('two clouds with different models', () => {
  it('differ in digests and in each result, and times are only stated', async () => {
    const pair = {
      aws: await deployed(other, STACKS.express),
      local: await deployed(assembly, STACKS.express),
    };
    expect(compareDigests('express', pair)).toMatchObject({ verdict: 'differs' });
    const findings = await compareScenarios('express', pair, REQUESTS.slice(0, 2));
    expect(findings).toMatchObject([{ verdict: 'differs' }, { verdict: 'differs' }]);
    const times = await measureTimes('express', pair);
    expect(times).toMatchObject({
      verdict: 'not checked',
      detail: expect.stringMatching(/AWS \d+ ms, local \d+ ms$/) as string,
    });
    expect(describeFindings([...findings, times])).toMatch(/0 confirmed, 2 differs, 1 not checked\n$/);
  });
});

describe('answers', () => {
  const failed = { status: 'FAILED', error: 'InvalidInput', cause: { slice: 0, message: 'bad' } };
  const expects = { status: 'FAILED', error: 'InvalidInput' };

  it.each([
    ['another error', { ...failed, error: 'SliceFailed' }],
    ['another cause', { ...failed, cause: { slice: 1, message: 'bad' } }],
    ['another status', { ...failed, status: 'TIMED_OUT' }],
    ['no cause', { status: 'FAILED', error: 'InvalidInput' }],
  ])('differ by %s', (_, onAws) => {
    expect(judge(onAws, failed, expects).verdict).toBe('differs');
    expect(judge(failed, failed, expects).verdict).toBe('confirmed');
  });

  it('differ if both are the same but not what is expected', () => {
    expect(judge(failed, failed, { status: 'SUCCEEDED' })).toMatchObject({
      verdict: 'differs',
      detail: expect.stringMatching(/^both /) as string,
    });
  });
});

describe('npm run integ', () => {
  const program = path.join(__dirname, '../../dist/test/integ/main.js');
  const run = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, ['--no-warnings', program, ...args], { env });
      const output = { stdout: '', stderr: '' };
      child.stdout.on('data', (part: Buffer) => (output.stdout += part.toString()));
      child.stderr.on('data', (part: Buffer) => (output.stderr += part.toString()));
      child.once('close', (code) => {
        resolve({ code, ...output });
      });
    });
  /** Neither the user's files nor the metadata service of a machine on AWS. */
  const isolated = {
    PATH: process.env.PATH,
    HOME: temporaryFolder(),
    AWS_EC2_METADATA_DISABLED: 'true',
  };

  it('says in one line what it needs, and exits with 2, without credentials', async () => {
    const { code, stdout, stderr } = await run([], isolated);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^npm run integ needs an AWS account: set credentials and a region .*\n$/);
  });

  it('compares a deployment that it reaches through the variables of the SDK', async () => {
    const cloud = await cloudWith(assembly, STACKS.express);
    const { stepFunctions, s3 } = cloud;
    const outputs = path.join(temporaryFolder(), 'outputs.json');
    const arn = { [ARN_OUTPUT]: cloud.pipeline.stateMachineArn };
    fs.writeFileSync(outputs, JSON.stringify({ [STACKS.express]: arn }));
    const { code, stdout, stderr } = await run(
      ['--assembly', assembly, '--outputs', outputs, '--only', 'express'],
      {
        ...isolated,
        AWS_REGION: s3.region,
        AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
        AWS_ENDPOINT_URL_SFN: stepFunctions.endpoint,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        NODE_EXTRA_CA_CERTS: s3.certificateAuthority?.file,
      },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^confirmed {4}express {3}a small request returns the same bits, inside the output$/m,
    );
    expect(stdout).toMatch(/\n12 confirmed, 0 differs, 7 not checked\n$/);
  });
});
