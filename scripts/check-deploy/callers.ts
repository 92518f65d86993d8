/** Applications that call pipelines, one in each language: a process that reads requests and writes answers, a line each. */
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import type { CallAnswer, CallRequest } from './caller';
import { Program } from './processes';
import { ROOT, SOURCES } from './repository';

export type Language = 'TypeScript' | 'Python';

/** Longer than any execution waits. */
const ANSWER_SECONDS = 400;

/** The process of a caller has ended, so it answers nothing more. */
export class CallerEnded extends Error {}

export class Caller {
  private readonly lines: AsyncIterator<string>;

  private constructor(
    readonly language: Language,
    private readonly program: Program,
  ) {
    this.lines = createInterface({ input: program.child.stdout })[Symbol.asyncIterator]();
  }

  /** @param python that has the packages of the client */
  static both(python: string, env: NodeJS.ProcessEnv): Caller[] {
    return [Caller.typescript(env), Caller.python(python, env)];
  }

  static typescript(env: NodeJS.ProcessEnv): Caller {
    const args = ['--no-warnings', path.join(__dirname, 'caller.js')];
    return new Caller('TypeScript', new Program(process.execPath, args, { env }));
  }

  private static python(python: string, env: NodeJS.ProcessEnv): Caller {
    const variables = { ...env, PYTHONPATH: path.join(ROOT, 'examples/python') };
    const args = [path.join(SOURCES, 'caller.py')];
    return new Caller('Python', new Program(python, args, { env: variables }));
  }

  /** Call it again only after the answer. */
  async call(request: CallRequest): Promise<CallAnswer> {
    this.program.child.stdin.write(`${JSON.stringify(request)}\n`);
    const timer = setTimeout(() => {
      this.program.end();
    }, ANSWER_SECONDS * 1000);
    const { value, done } = await this.lines.next();
    clearTimeout(timer);
    if (done === true)
      throw new CallerEnded(`the caller in ${this.language} must answer, got its end: ${this.program.tail}`);
    return JSON.parse(value) as CallAnswer;
  }

  close(): void {
    this.program.end();
  }
}
