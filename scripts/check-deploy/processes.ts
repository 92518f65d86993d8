/** Runs programs in process groups of their own, and ends the groups by their ids however the check ends. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
}

const running = new Set<ChildProcessWithoutNullStreams>();

/** How much of a program's output an error shows. */
const TAIL = 2000;

export class Program {
  /** Both streams, for errors. */
  private output = '';

  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves to the exit code, or `null` after a signal. Rejects if the program does not start. */
  readonly ended: Promise<number | null>;

  constructor(
    private readonly program: string,
    args: readonly string[],
    { cwd, env }: ProgramOptions,
  ) {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: 'pipe' });
    this.child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-TAIL);
      });
    // A program that ends does not read what is still written to it.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    });
    // Whoever waits learns of it; a program that nobody waits for must not end the check.
    this.ended.catch(() => undefined);
  }

  get tail(): string {
    return this.output.trim();
  }

  /** Waits for the end. Throws if the program fails or takes longer. */
  async succeeds(seconds: number): Promise<string> {
    const timer = setTimeout(() => {
      this.end();
    }, seconds * 1000);
    const code = await this.ended;
    clearTimeout(timer);
    if (code === 0) return this.tail;
    const end = code === null ? `no end within ${seconds} s` : `exit code ${code}`;
    throw new Error(`${this.program} must succeed, got ${end}: ${this.tail}`);
  }

  end(): void {
    end(this.child);
  }
}

/** Ends all programs that still run, and what they started. */
export function endAll(): void {
  for (const child of running) end(child);
}

function end({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // The group ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
