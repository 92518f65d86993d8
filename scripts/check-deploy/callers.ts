/** Applications that call pipelines, one in each language: a process that reads requests and writes answers, a line each. */
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import type { CallAnswer, CallRequest } from './caller';
import { Program, ROOT, SOURCES } from './processes';

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
    const answer = await this.answer(request);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Returns the error of a call that fails. */
  async answer(request: CallRequest): Promise<CallAnswer> {
    this.program.child.stdin.write(`${JSON.stringify(request)}\n`);
    const timer = setTimeout(() => {
      this.close();
    }, ANSWER_SECONDS * 1000);
    const line = await this.lines.next();
    clearTimeout(timer);
    if (line.value !== undefined) return JSON.parse(line.value) as CallAnswer;
    const end = await this.program.ended;
    throw new CallerEnded(`the caller in ${this.language} must answer, got ${end}: ${this.program.output}`);
  }

  close(): void {
    this.program.end();
  }
}

/** The process has ended, so it answers nothing more. */
export class CallerEnded extends Error {}
