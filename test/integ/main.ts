/**
 * Deploys the pipelines on AWS, lets `integ.test.ts` ask them and the local cloud the same, and destroys them. Exit codes: 0 if all agrees,
 * 1 if something differs, AWS refuses or a signal ends it, 2 without credentials.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { packageRoot } from '../../lib/host/packages';
import { mlp, saveModel } from '../support/model-builder';
import { synthesize } from './app';

const DIFFERS = 1;
const BAD_INPUT = 2;

const NEEDS =
  'npm run integ needs an AWS account: set credentials and a region that `npx cdk bootstrap` has prepared, ' +
  'for example AWS_PROFILE and AWS_REGION; it deploys two small stacks, runs some twenty requests and destroys the stacks';

let isInterrupted = false;
let comparison: ChildProcess | undefined;

async function main(): Promise<number> {
  const { config } = new SFNClient({});
  try {
    await Promise.all([config.credentials(), config.region()]);
  } catch (error) {
    process.stderr.write(`${NEEDS} (${String(error).replaceAll(/\s+/g, ' ')})\n`);
    return BAD_INPUT;
  }
  // A second signal ends this process, and leaves the stacks.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      isInterrupted = true;
      comparison?.kill(signal);
    });
  const assembly = synthesize(writeModel()).directory;
  const outputs = path.join(assembly, 'outputs.json');
  const all = ['--all', '--app', assembly];
  try {
    const isDeployed = cdk('deploy', ...all, '--outputs-file', outputs, '--require-approval', 'never');
    // A signal that came while CDK worked.
    await setImmediate();
    return isDeployed && !isInterrupted && (await agree(assembly, outputs)) ? 0 : DIFFERS;
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
  const program = path.join(packageRoot(), 'node_modules/aws-cdk/bin/cdk');
  const stdio = ['ignore', 'inherit', 'inherit'] as const;
  return spawnSync(process.execPath, [program, ...args], { stdio: [...stdio] }).status === 0;
}

async function agree(assembly: string, outputs: string): Promise<boolean> {
  const jest = path.join(packageRoot(), 'node_modules/jest/bin/jest.js');
  comparison = spawn(process.execPath, [jest, '--verbose', 'test/integ'], {
    cwd: packageRoot(),
    env: { ...process.env, INTEG_ASSEMBLY: assembly, INTEG_OUTPUTS: outputs },
    stdio: 'inherit',
  });
  const [code] = (await once(comparison, 'close')) as [number | null];
  return code === 0;
}

main().then(
  // Requests to AWS may still wait for an answer after an interrupt.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`npm run integ failed: ${String(error)}\n`);
    process.exit(DIFFERS);
  },
);
