/** Deploys the stacks of an assembly with CDK's command line, and destroys them however the work with them ends, also by a signal. */
import { spawn } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';

/** A shell adds it to the number of the signal that ended a program. */
const SIGNALLED = 128;

export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.exitCode = SIGNALLED + os.constants.signals[signal];
  }
}

export interface Interrupts {
  /** The reason is an `Interrupted`. */
  readonly first: AbortSignal;
  readonly second: AbortSignal;
}

/**
 * From now on, Ctrl-C and SIGTERM no longer end this process: the first ends the work, the second also ends the destruction of the stacks.
 */
export function listenForInterrupts(): Interrupts {
  const [first, second] = [new AbortController(), new AbortController()];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      (first.signal.aborted ? second : first).abort(new Interrupted(signal));
    });
  }
  return { first: first.signal, second: second.signal };
}

/** The program of CDK's command line, for Node.js. */
export function cdkProgram(): string {
  return path.join(path.dirname(require.resolve('aws-cdk/package.json')), 'bin/cdk');
}

interface StackOptions {
  readonly program: string;
  /** Folder of the assembly. */
  readonly assembly: string;
  readonly interrupts: Interrupts;
}

/**
 * Calls `work` with the file of the stacks' outputs. Returns `undefined` if CDK does not deploy the stacks.
 *
 * @throws Interrupted after a signal, when the stacks are destroyed
 */
export async function withDeployedStacks<T>(
  { program, assembly, interrupts: { first, second } }: StackOptions,
  work: (outputs: string) => Promise<T>,
): Promise<T | undefined> {
  const outputs = path.join(assembly, 'outputs.json');
  const app = ['--all', '--app', assembly];
  try {
    const deploy = ['deploy', ...app, '--outputs-file', outputs, '--require-approval', 'never'];
    const isDeployed = await succeeds(program, deploy, first);
    first.throwIfAborted();
    return isDeployed ? await work(outputs) : undefined;
  } finally {
    if (first.aborted) process.stderr.write('destroying the stacks; a second signal leaves them\n');
    if (!(await succeeds(program, ['destroy', ...app, '--force'], second)))
      process.stderr.write('the stacks were not destroyed: delete them in the console\n');
  }
}

/** Runs the program in a group of its own, so that Ctrl-C reaches only this process, which stops the program with `stop`. */
function succeeds(program: string, args: readonly string[], stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      signal: stop,
    });
    child.once('error', () => {
      // The program was stopped or could not start. Its code is then not 0.
    });
    child.once('close', (code) => {
      resolve(code === 0);
    });
  });
}
