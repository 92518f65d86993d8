/**
 * Programs that the check runs, each in a process group of its own, which is ended by its id however the check ends. Among them are the
 * applications that call pipelines, one in each language: they read requests and write answers, a line each.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import type { CallAnswer, CallRequest } from './caller';

/** The check runs from `dist/scripts/check-deploy`. */
export const ROOT = path.resolve(__dirname, '../../..');
export const SOURCES = path.join(ROOT, 'scripts/check-deploy');

const running = new Set<Program>();

const TAIL = 2000;

interface Place {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
}

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** How it ended, or why it did not start. */
  readonly ended: Promise<string>;
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

/** Longer than any execution waits. */
const ANSWER_SECONDS = 400;

export class Caller {
  private readonly program: Program;
  private readonly lines: AsyncIterator<string, undefined>;

  /** @param python that has the packages of the client, for the caller in Python */
  constructor(
    readonly language: 'TypeScript' | 'Python',
    python: string,
    env: NodeJS.ProcessEnv,
  ) {
    const [name, ...args] =
      language === 'Python'
        ? [python, path.join(SOURCES, 'caller.py')]
        : [process.execPath, '--no-warnings', path.join(__dirname, 'caller.js')];
    const PYTHONPATH = path.join(ROOT, 'client/python/src');
    this.program = new Program(name, args, { env: { ...env, PYTHONPATH } });
    this.lines = createInterface({ input: this.program.child.stdout })[Symbol.asyncIterator]();
  }

  /** Call it again only after the answer. Throws if the call fails. */
  async call(request: CallRequest): Promise<CallAnswer> {
    this.program.child.stdin.write(`${JSON.stringify(request)}\n`);
    const timer = setTimeout(() => {
      this.close();
    }, ANSWER_SECONDS * 1000);
    const line = await this.lines.next();
    clearTimeout(timer);
    if (line.value === undefined) {
      const end = await this.program.ended;
      throw new CallerEnded(`the caller in ${this.language} must answer, got ${end}: ${this.program.output}`);
    }
    const answer = JSON.parse(line.value) as CallAnswer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  close(): void {
    this.program.end();
  }
}

/** The process has ended, so it answers nothing more. */
export class CallerEnded extends Error {}
