/** Runs cases in a process that is replaced when it crashes, hangs or swells. */
import { type ChildProcess, fork } from 'node:child_process';
import * as path from 'node:path';
import type { CaseEnd } from './fuzz-case';
import { memoryMb, type Answer, type Question } from './fuzz-process';

export interface Limits {
  /** Time of one case, in ms. */
  readonly timeMs: number;
  /** Memory of the process that runs the library, including Node.js, in MB (2^20 bytes). */
  readonly memoryMb: number;
  /** A process that holds more memory after a case, in MB, is replaced: the memory would count against the next case. */
  readonly restingMb: number;
}

interface Failure {
  readonly failure: string;
  readonly isSwollen?: boolean;
}

export type Verdict = (CaseEnd & Pick<Answer, 'ms' | 'peakMb'>) | Failure;

/** Interval of the memory checks of a busy process, in ms. */
const POLL_MS = 100;

/** Number of characters to show of a process's last output. */
const LAST_WORDS = 500;

export class Watcher {
  private child: ChildProcess | undefined;

  /** @param target absolute path of the module that is fuzzed */
  constructor(
    private readonly target: string,
    private readonly limits: Limits,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  async judge(question: Question): Promise<Verdict> {
    const wasFresh = this.child === undefined;
    const verdict = await this.attempt(question);
    const isSwollen = 'failure' in verdict && verdict.isSwollen === true;
    // The process may still hold memory of earlier cases: try this one in a new process.
    return isSwollen && !wasFresh ? this.attempt(question) : verdict;
  }

  /** Ends the process and its child processes. */
  stop(): void {
    const { child } = this;
    this.child = undefined;
    if (child?.pid === undefined) return;
    child.removeAllListeners();
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The process has already ended.
    }
  }

  private async attempt(question: Question): Promise<Verdict> {
    this.child ??= fork(path.join(__dirname, 'fuzz-process.js'), [this.target], {
      env: this.environment,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A process group, so that its child processes end with it.
      detached: true,
    });
    const result = await this.watch(this.child, question);
    const isSwollen = 'end' in result && result.peakMb > this.limits.memoryMb;
    if ('failure' in result || isSwollen || result.restingMb > this.limits.restingMb) this.stop();
    if ('failure' in result) return result;
    if (isSwollen) return swollen(result.peakMb);
    const { end, ms, peakMb } = result;
    return 'failure' in end ? end : { ...end, ms, peakMb };
  }

  /** Returns the answer of the process, or why it has none. */
  private watch(child: ChildProcess, question: Question): Promise<Answer | Failure> {
    return new Promise((resolve) => {
      let lastWords = '';
      const end = (result: Answer | Failure): void => {
        clearTimeout(timer);
        clearInterval(poll);
        child.removeAllListeners();
        child.stderr?.removeAllListeners();
        resolve(result);
      };
      const timer = setTimeout(() => {
        end({ failure: `no end within ${this.limits.timeMs / 1000} s` });
      }, this.limits.timeMs);
      const poll = setInterval(() => {
        const now = memoryMb(child.pid ?? 0, 'VmRSS') ?? 0;
        if (now > this.limits.memoryMb) end(swollen(now));
      }, POLL_MS);
      child.stderr?.on('data', (text: Buffer) => {
        lastWords = `${lastWords}${text.toString()}`.slice(-LAST_WORDS);
      });
      child.once('message', end);
      child.once('exit', (code, signal) => {
        end({ failure: `ended its process with ${signal ?? `code ${code}`} ${lastWords}`.trim() });
      });
      child.send(question);
    });
  }
}

function swollen(peakMb: number): Failure {
  return { failure: `took ${Math.round(peakMb)} MB of memory`, isSwollen: true };
}
