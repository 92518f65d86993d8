/** Runs commands in one process for all tests of a file: see `command-host.cjs`. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { temporaryFolder } from './temporary-folder';

export interface HostedCommand {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface HostedResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Pending {
  readonly resolve: (result: HostedResult) => void;
  readonly reject: (error: Error) => void;
}

class CommandHost {
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, Pending>();
  private commands = 0;

  constructor() {
    this.child = fork(path.join(__dirname, 'command-host.cjs'), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const stderr: Buffer[] = [];
    this.child.stderr?.on('data', (part: Buffer) => stderr.push(part));
    this.child.on('message', (message) => {
      const { id, result } = message as { id: number; result: HostedResult };
      this.pending.get(id)?.resolve(result);
      this.pending.delete(id);
    });
    this.child.on('exit', (code, signal) => {
      for (const { reject } of this.pending.values())
        reject(
          new Error(
            `the process of the commands ended with ${code ?? signal}: ${Buffer.concat(stderr).toString()}`,
          ),
        );
    });
  }

  run(command: HostedCommand): Promise<HostedResult> {
    const id = this.commands++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.child.send({ id, ...command });
    });
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}

let host: CommandHost | undefined;
let temporary: string | undefined;
afterAll(() => host?.close());

/** All commands of a test file share a folder for temporary files, which is removed after the tests. */
export function runHosted({ args, cwd, env }: HostedCommand): Promise<HostedResult> {
  host ??= new CommandHost();
  temporary ??= temporaryFolder();
  return host.run({ args, cwd, env: { ...env, TMPDIR: temporary } });
}
