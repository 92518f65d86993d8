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

  /** @param authorities the file with certificates, which Node.js reads when it starts */
  constructor(authorities: string | undefined) {
    this.child = fork(path.join(__dirname, 'command-host.cjs'), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: authorities },
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

/** By the file with certificates. */
const hosts = new Map<string | undefined, CommandHost>();
let temporary: string | undefined;
afterAll(() => Promise.all([...hosts.values()].map((host) => host.close())));

function hostWith(authorities: string | undefined): CommandHost {
  const host = hosts.get(authorities) ?? new CommandHost(authorities);
  hosts.set(authorities, host);
  return host;
}

/** All commands of a test file share a folder for temporary files, which is removed after the tests. */
export function runHosted({ args, cwd, env }: HostedCommand): Promise<HostedResult> {
  temporary ??= temporaryFolder();
  return hostWith(env.NODE_EXTRA_CA_CERTS).run({ args, cwd, env: { ...env, TMPDIR: temporary } });
}
