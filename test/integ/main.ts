/**
 * Deploys the pipelines on AWS, asks them and the local cloud the same, prints what is confirmed and what differs, and
 * destroys them. Exit codes: 0 if all agrees, 1 if something differs or AWS refuses, 2 if credentials or arguments are missing,
 * 130 after Ctrl-C and 143 after SIGTERM.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { ARN_OUTPUT, buildApp, STACKS } from './app';
import {
  comparePipeline,
  countFindings,
  describeError,
  describeFinding,
  NOT_CHECKED,
  type Finding,
  type Subject,
} from './compare';
import { cdkProgram, Interrupted, listenForInterrupts, withDeployedStacks } from './deployed-stacks';
import { writeModel } from './model';

const DIFFERS = 1;
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
  /** Program for Node.js that deploys and destroys; by default CDK's command line. */
  readonly cdk?: string;
}

async function main({ outputs, assembly = synthesize(), only, cdk }: Options): Promise<number> {
  const interrupts = listenForInterrupts();
  const compare = (file: string): Promise<number> => compareAll(assembly, file, interrupts.first, only);
  if (outputs !== undefined) return compare(outputs);
  const stacks = { program: cdk ?? cdkProgram(), assembly, interrupts };
  return (await withDeployedStacks(stacks, compare)) ?? DIFFERS;
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

/** Prints each finding as it comes, and their numbers also if the comparison is interrupted. */
async function compareAll(
  assembly: string,
  outputs: string,
  interrupt: AbortSignal,
  only?: string,
): Promise<number> {
  const arns = JSON.parse(fs.readFileSync(outputs, 'utf8')) as Record<string, Record<string, string>>;
  const findings: Finding[] = [];
  const add = (finding: Finding): void => {
    findings.push(finding);
    process.stdout.write(describeFinding(finding));
  };
  try {
    for (const [subject, stack] of Object.entries(STACKS)) {
      if (only !== undefined && subject !== only) continue;
      const deployed = { assembly, arn: (arns[stack] as Record<string, string> | undefined)?.[ARN_OUTPUT] };
      for await (const finding of comparePipeline(subject as Subject, deployed, interrupt)) add(finding);
    }
    NOT_CHECKED.forEach(add);
  } finally {
    process.stdout.write(`\n${countFindings(findings)}`);
  }
  return findings.some(({ verdict }) => verdict === 'differs') ? DIFFERS : 0;
}

async function exitCode(options: Options): Promise<number> {
  const { only } = options;
  if (only !== undefined && !Object.hasOwn(STACKS, only)) {
    process.stderr.write(`--only must be one of ${Object.keys(STACKS).join(', ')}, got '${only}'\n`);
    return BAD_INPUT;
  }
  const missing = await missingAccess();
  if (missing !== undefined) {
    process.stderr.write(`${NEEDS} (${missing})\n`);
    return BAD_INPUT;
  }
  try {
    return await main(options);
  } catch (error) {
    const isInterrupt = error instanceof Interrupted;
    process.stderr.write(
      isInterrupt ? `${error.message}\n` : `npm run integ failed: ${describeError(error)}\n`,
    );
    return isInterrupt ? error.exitCode : DIFFERS;
  }
}

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { outputs: text, assembly: text, only: text, cdk: text } });
void exitCode(values).then((code) => {
  // Requests to AWS may still wait for an answer after an interrupt.
  process.exit(code);
});
