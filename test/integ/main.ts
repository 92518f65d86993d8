/**
 * Deploys the pipelines on AWS, asks them and the local cloud the same, prints what is confirmed and what differs, and
 * destroys them. Exit codes: 0 if all agrees, 1 if something differs, AWS refuses or a signal ends it, 2 without credentials.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { SFNClient } from '@aws-sdk/client-sfn';
import { mlp, saveModel } from '../support/model-builder';
import { ARN_OUTPUT, STACKS, synthesize } from './app';
import {
  comparePipeline,
  countFindings,
  describeFinding,
  endOf,
  type Finding,
  type Subject,
} from './compare';

const DIFFERS = 1;
const BAD_INPUT = 2;

const NEEDS =
  'npm run integ needs an AWS account: set credentials and a region that `npx cdk bootstrap` has prepared, ' +
  'for example AWS_PROFILE and AWS_REGION; it deploys three small stacks, runs some twenty requests and destroys the stacks';

const text = { type: 'string' } as const;
const { values: options } = parseArgs({
  options: {
    /** Folder of the assembly that is deployed. */
    assembly: text,
    /** Program for Node.js that deploys and destroys; by default CDK's command line. */
    cdk: text,
  },
});

let isInterrupted = false;

async function main(): Promise<number> {
  const { config } = new SFNClient({});
  const access = await endOf(() => Promise.all([config.credentials(), config.region()]));
  if ('threw' in access) {
    process.stderr.write(`${NEEDS} (${access.threw})\n`);
    return BAD_INPUT;
  }
  // A second signal ends this process, and leaves the stacks.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isInterrupted = true));
  const assembly = options.assembly ?? synthesize(writeModel()).directory;
  const outputs = path.join(assembly, 'outputs.json');
  const all = ['--all', '--app', assembly];
  try {
    const isDeployed = cdk('deploy', ...all, '--outputs-file', outputs, '--require-approval', 'never');
    return isDeployed ? await compareAll(assembly, outputs) : DIFFERS;
  } finally {
    if (!cdk('destroy', ...all, '--force'))
      process.stderr.write('the stacks were not destroyed: delete them in the console\n');
  }
}

/** Writes a model of three layers into a new folder, which is removed when the process ends. Returns its path. */
function writeModel(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-integ-'));
  process.once('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return saveModel(mlp(3), 'model.onnx', folder);
}

/** Waits for CDK, so that a signal takes effect when it has ended. */
function cdk(...args: readonly string[]): boolean {
  const program = path.join(path.dirname(require.resolve('aws-cdk/package.json')), 'bin/cdk');
  const { status } = spawnSync(process.execPath, [options.cdk ?? program, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}

/** Prints each finding as it comes, and their numbers also if a signal ends the comparison. */
async function compareAll(assembly: string, outputs: string): Promise<number> {
  const arns = JSON.parse(fs.readFileSync(outputs, 'utf8')) as Partial<
    Record<string, Record<string, string>>
  >;
  const findings: Finding[] = [];
  for await (const finding of findingsOf(arns, assembly)) {
    if (isInterrupted) break;
    findings.push(finding);
    process.stdout.write(describeFinding(finding));
  }
  process.stdout.write(`\n${countFindings(findings)}`);
  return isInterrupted || findings.some(({ verdict }) => verdict === 'differs') ? DIFFERS : 0;
}

async function* findingsOf(
  arns: Partial<Record<string, Record<string, string>>>,
  assembly: string,
): AsyncGenerator<Finding, void, undefined> {
  for (const [subject, stack] of Object.entries(STACKS)) {
    const arn = arns[stack]?.[ARN_OUTPUT];
    if (arn === undefined)
      yield { subject, claim: 'its runs', verdict: 'not checked', detail: 'not deployed' };
    else yield* comparePipeline(subject as Subject, arn, assembly);
  }
}

main().then(
  // Requests to AWS may still wait for an answer after an interrupt.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`npm run integ failed: ${String(error)}\n`);
    process.exit(DIFFERS);
  },
);
