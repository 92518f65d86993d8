/** Programs that the check runs, each in a process group of its own, which is ended by its id however the check ends. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import * as path from 'node:path';

/** The check runs from `dist/scripts/check-deploy`. */
export const ROOT = path.resolve(__dirname, '../../..');
export const SOURCES = path.join(ROOT, 'scripts/check-deploy');

const running = new Set<Program>();

/** How much of a program's output an error shows. */
const TAIL = 2000;

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** Rejects if the program does not start. `null` after a signal. */
  readonly ended: Promise<number | null>;
  /** The end of what it printed. */
  output = '';

  constructor(
    readonly name: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env: NodeJS.ProcessEnv },
  ) {
    this.child = spawn(name, args, { ...options, detached: true, stdio: 'pipe' });
    running.add(this);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream
        .setEncoding('utf8')
        .on('data', (text: string) => (this.output = (this.output + text).slice(-TAIL)));
    // A program that ends does not read what is still written to it.
    this.child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => this.child.once('error', reject).once('close', resolve));
    this.ended.then(() => running.delete(this)).catch(() => undefined);
  }

  /** Waits for the end. Throws if the program fails or takes longer. */
  async succeeds(seconds: number): Promise<string> {
    const timer = setTimeout(() => {
      this.end();
    }, seconds * 1000);
    const code = await this.ended.finally(() => {
      clearTimeout(timer);
    });
    if (code === 0) return this.output;
    const end = code === null ? `no end within ${seconds} s` : `exit code ${code}`;
    throw new Error(`${this.name} must succeed, got ${end}: ${this.output.trim()}`);
  }

  end(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // The group has ended.
    }
  }
}

export function endAll(): void {
  for (const program of running) program.end();
}
