/**
 * Deploys the pipelines on AWS, lets `integ.test.ts` ask them and the local cloud the same, and destroys them. Exit codes: 0 if all agrees,
 * 1 if something differs, AWS refuses or a signal ends it, 2 without credentials.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SFNClient } from '@aws-sdk/client-sfn';
import { packageRoot } from '../../lib/host/packages';
import { mlp, saveModel } from '../support/model-builder';
import { synthesize } from './app';

const DIFFERS = 1;
const BAD_INPUT = 2;

const NEEDS =
  'npm run integ needs an AWS account: set credentials and a region that `npx cdk bootstrap` has prepared, ' +
  'for example AWS_PROFILE and AWS_REGION; it deploys two small stacks, runs some twenty requests and destroys the stacks';

async function main(): Promise<number> {
  const { config } = new SFNClient({});
  try {
    await Promise.all([config.credentials(), config.region()]);
  } catch (error) {
    process.stderr.write(`${NEEDS} (${String(error).replaceAll(/\s+/g, ' ')})\n`);
    return BAD_INPUT;
  }
  // A terminal sends the signal also to the program that runs and ends then. The stacks are still destroyed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  const assembly = synthesize(writeModel()).directory;
  const outputs = path.join(assembly, 'outputs.json');
  const all = ['--all', '--app', assembly];
  try {
    const isDeployed = cdk('deploy', ...all, '--outputs-file', outputs, '--require-approval', 'never');
    const variables = { INTEG_ASSEMBLY: assembly, INTEG_OUTPUTS: outputs };
    const agrees = (): boolean => succeeds('jest/bin/jest.js', ['--verbose', 'test/integ'], variables);
    return isDeployed && agrees() ? 0 : DIFFERS;
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

function cdk(...args: readonly string[]): boolean {
  return succeeds('aws-cdk/bin/cdk', args);
}

/** Runs a program of a package to its end. */
function succeeds(program: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): boolean {
  const { status } = spawnSync(process.execPath, [`node_modules/${program}`, ...args], {
    cwd: packageRoot(),
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}

main().then(
  // Requests to AWS may still wait for an answer after an interrupt.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`npm run integ failed: ${String(error)}\n`);
    process.exit(DIFFERS);
  },
);
