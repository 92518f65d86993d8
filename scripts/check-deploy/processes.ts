/** Programs that the check runs, each in a process group of its own, which is ended by its id however the check ends. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import * as path from 'node:path';

/** The check runs from `dist/scripts/check-deploy`. */
export const ROOT = path.resolve(__dirname, '../../..');
export const SOURCES = path.join(ROOT, 'scripts/check-deploy');

const running = new Set<Program>();

/** How much of a program's output an error shows. */
const TAIL = 2000;

interface Place {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
}

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** How it ended, or why it did not start. */
  readonly ended: Promise<string>;
  /** The end of what it printed. */
  output = '';

  constructor(
    readonly name: string,
    args: readonly string[],
    place: Place,
  ) {
    this.child = spawn(name, args, { ...place, detached: true, stdio: 'pipe' });
    running.add(this);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream
        .setEncoding('utf8')
        .on('data', (text: string) => (this.output = (this.output + text).slice(-TAIL)));
    // A program that ends does not read what is still written to it.
    this.child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        resolve(error.message);
      });
      this.child.once('close', (code, signal) => {
        running.delete(this);
        resolve(signal ?? `exit code ${code ?? 'unknown'}`);
      });
    });
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

/** Returns the end of what a program prints. Throws if it fails or takes longer. */
export async function run(
  name: string,
  args: readonly string[],
  { seconds, ...place }: Place & { readonly seconds: number },
): Promise<string> {
  const program = new Program(name, args, place);
  program.child.stdin.end();
  const timer = setTimeout(() => {
    program.end();
  }, seconds * 1000);
  const end = await program.ended;
  clearTimeout(timer);
  if (end === 'exit code 0') return program.output;
  const ending = [end, program.output.trim()].filter((text) => text !== '').join(': ');
  throw new Error(`${name} must succeed within ${seconds} s, got ${ending}`);
}

export function endAll(): void {
  for (const program of running) program.end();
}
