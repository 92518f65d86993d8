/** `npm run integ` as a process. A local cloud stands for AWS, and a script for CDK's command line: nothing here runs on AWS. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { LocalCloud } from '../../local';
import { start } from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { ARN_OUTPUT, STACKS, synthesize } from './app';

const PROGRAM = path.join(__dirname, '../../dist/test/integ/main.js');

/** Neither the user's files nor the metadata service of a machine on AWS. */
const { PATH } = process.env;
const ISOLATED = { PATH, HOME: temporaryFolder(), AWS_EC2_METADATA_DISABLED: 'true' };

let assembly: string;
let cloud: LocalCloud;
let variables: NodeJS.ProcessEnv;
beforeAll(async () => {
  assembly = synthesize(saveModel(mlp(3))).directory;
  cloud = await start(assembly, { pipeline: STACKS.express });
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

/** Runs the program, and interrupts it as soon as its output has a text. */
function run(args: readonly string[], env: NodeJS.ProcessEnv, interruptAt = '\0') {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', PROGRAM, ...args], { env });
    const output = { stdout: '', stderr: '' };
    let isInterrupted = false;
    child.stdout.on('data', (part: Buffer) => {
      output.stdout += part.toString();
      if (isInterrupted || !output.stdout.includes(interruptAt)) return;
      isInterrupted = child.kill('SIGINT');
    });
    child.stderr.on('data', (part: Buffer) => (output.stderr += part.toString()));
    child.once('close', (code) => {
      resolve({ code, ...output });
    });
  });
}

/** A program that prints its command, and the local cloud's state machine as that of a stack. */
function cdkThatDeploys(arn = cloud.pipeline.stateMachineArn): string {
  const file = path.join(temporaryFolder(), 'cdk.js');
  const outputs = JSON.stringify({ [STACKS.express]: { [ARN_OUTPUT]: arn } });
  fs.writeFileSync(
    file,
    `const [, , command, ...args] = process.argv;
     const at = args.indexOf('--outputs-file');
     if (at >= 0) require('node:fs').writeFileSync(args[at + 1], ${JSON.stringify(outputs)});
     console.log('cdk ' + command);`,
  );
  return file;
}

it('says in one line what it needs, and exits with 2, without credentials', async () => {
  const { code, stdout, stderr } = await run([], ISOLATED);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^npm run integ needs an AWS account: set credentials and a region .*\n$/);
});

it('deploys, compares what it reaches through the variables of the SDK, and destroys', async () => {
  const { code, stdout, stderr } = await run(['--assembly', assembly, '--cdk', cdkThatDeploys()], variables);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^cdk deploy\nconfirmed {4}express {3}the same deployment runs in both\n/);
  expect(stdout).toMatch(/\n10 confirmed, 0 differs, 2 not checked\ncdk destroy\n$/);
});

it('shows a cloud that throws as a row', async () => {
  const unknown = cdkThatDeploys(`${cloud.pipeline.stateMachineArn}-other`);
  const { code, stdout } = await run(['--assembly', assembly, '--cdk', unknown], variables);
  expect(code).toBe(1);
  expect(stdout).toContain(
    'differs      express   the same deployment runs in both: AWS threw StateMachineDoesNotExist: ',
  );
});

it('leaves its rows, ends the comparison and destroys the stacks after a signal', async () => {
  const args = ['--assembly', assembly, '--cdk', cdkThatDeploys()];
  const { code, stdout } = await run(args, variables, 'confirmed');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^cdk deploy\nconfirmed [^]* 0 not checked\ncdk destroy\n$/);
});
