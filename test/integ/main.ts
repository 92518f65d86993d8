/**
 * Deploys the pipelines on AWS, asks them and the local cloud the same, prints what is confirmed and what differs, and
 * destroys them. Exit codes: 0 if all agrees, 1 if something differs or AWS refuses, 2 if credentials or arguments are missing.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LocalCloud } from '../../local';
import { ARN_OUTPUT, buildApp, STACKS } from './app';
import {
  compareDigests,
  compareScenarios,
  describeFindings,
  measureTimes,
  NOT_CHECKED,
  type Finding,
} from './compare';
import { Deployment } from './deployment';
import { writeModel } from './model';
import { DENIED, REQUESTS } from './scenarios';

const BAD_INPUT = 2;

const NEEDS =
  'npm run integ needs an AWS account: set credentials and a region that `npx cdk bootstrap` has prepared, ' +
  'for example AWS_PROFILE and AWS_REGION; it deploys three small stacks, runs some sixty requests and destroys the stacks';

interface Options {
  /** File of `cdk deploy --outputs-file`: the stacks are deployed already and stay. */
  readonly outputs?: string;
  /** Folder of the assembly that is deployed. */
  readonly assembly?: string;
  /** Only this one of the pipelines. */
  readonly only?: string;
}

async function main({ outputs, assembly, only }: Options): Promise<number> {
  const missing = await missingAccess();
  if (missing !== undefined) {
    process.stderr.write(`${NEEDS} (${missing})\n`);
    return BAD_INPUT;
  }
  const directory = assembly ?? synthesize();
  if (outputs !== undefined) return compareAll(directory, outputs, only);
  const file = path.join(directory, 'outputs.json');
  try {
    const deployed = cdk(
      'deploy',
      '--all',
      '--app',
      directory,
      '--outputs-file',
      file,
      '--require-approval',
      'never',
    );
    return deployed ? await compareAll(directory, file, only) : 1;
  } finally {
    if (!cdk('destroy', '--all', '--force', '--app', directory))
      process.stderr.write('the stacks were not destroyed: delete them in the console\n');
  }
}

async function missingAccess(): Promise<string | undefined> {
  const { config } = new SFNClient({});
  try {
    await config.credentials();
    await config.region();
    return undefined;
  } catch (error) {
    // The SDK says which of both it does not find.
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

function synthesize(): string {
  const { ARM_64, X86_64 } = lambda.Architecture;
  const modelPath = writeModel();
  const { app } = buildApp({
    modelPath,
    architecture: process.arch === 'arm64' ? ARM_64 : X86_64,
    outdir: path.join(path.dirname(modelPath), 'cdk.out'),
  });
  return app.synth().directory;
}

function cdk(...args: readonly string[]): boolean {
  const program = path.join(path.dirname(require.resolve('aws-cdk/package.json')), 'bin/cdk');
  return (
    spawnSync(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  );
}

async function compareAll(directory: string, outputs: string, only?: string): Promise<number> {
  const arns = JSON.parse(fs.readFileSync(outputs, 'utf8')) as Record<string, Record<string, string>>;
  const findings: Finding[] = [];
  for (const [subject, stack] of Object.entries(STACKS)) {
    if (only !== undefined && subject !== only) continue;
    const cloud = await LocalCloud.start(directory, { pipeline: stack });
    try {
      const pair = {
        aws: await Deployment.at({ stateMachineArn: arns[stack][ARN_OUTPUT] }),
        local: await Deployment.at({
          stateMachineArn: cloud.pipeline.stateMachineArn,
          stepFunctions: cloud.stepFunctions,
          s3: cloud.s3,
        }),
      };
      findings.push(compareDigests(subject, pair));
      findings.push(...(await compareScenarios(subject, pair, stack === STACKS.denied ? DENIED : REQUESTS)));
      if (stack !== STACKS.denied) findings.push(await measureTimes(subject, pair));
    } finally {
      await cloud.close();
    }
  }
  process.stdout.write(describeFindings([...findings, ...NOT_CHECKED]));
  return findings.some(({ verdict }) => verdict === 'differs') ? 1 : 0;
}

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { outputs: text, assembly: text, only: text } });
void main(values).then((code) => {
  process.exitCode = code;
});
