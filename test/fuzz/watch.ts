/** Runs cases in a process that is replaced when a case fails, or when the process crashes, hangs or swells. */
import { type ChildProcess, fork } from 'node:child_process';
import * as path from 'node:path';
import { type Answer, type Question, memoryMb } from './child';

export interface Limits {
  /** Time of one case, in seconds. The first case of a process includes loading the library. */
  readonly seconds: number;
  /** Memory of the process that runs the library, including Node.js, in MB (2^20 bytes). */
  readonly peakMb: number;
  /** A process that holds more memory after a case, in MB, is replaced: the memory would count against the next case. */
  readonly restingMb: number;
}

interface Failure {
  readonly failure: string;
  readonly isSwollen?: true;
}

export type Verdict = Answer | Failure;

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
    // The process may still hold memory of earlier cases: try this one in a new process.
    return 'isSwollen' in verdict && !wasFresh ? this.attempt(question) : verdict;
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
    this.child ??= fork(path.join(__dirname, 'child.js'), [this.target], {
      env: this.environment,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A process group, so that its child processes end with it.
      detached: true,
    });
    const answer = await this.answerOf(this.child, question);
    const isSwollen = 'peakMb' in answer && answer.peakMb > this.limits.peakMb;
    if ('failure' in answer || isSwollen || answer.restingMb > this.limits.restingMb) this.stop();
    return isSwollen ? swollen(answer.peakMb) : answer;
  }

  /** Returns the answer of the process, or why it has none. */
  private answerOf(child: ChildProcess, question: Question): Promise<Verdict> {
    return new Promise((resolve) => {
      let lastWords = '';
      const end = (verdict: Verdict): void => {
        clearTimeout(timer);
        clearInterval(poll);
        child.removeAllListeners();
        child.stderr?.removeAllListeners();
        resolve(verdict);
      };
      const timer = setTimeout(() => {
        end({ failure: `no end within ${this.limits.seconds} s` });
      }, 1000 * this.limits.seconds);
      const poll = setInterval(() => {
        const now = memoryMb(child.pid ?? 0, 'VmRSS') ?? 0;
        if (now > this.limits.peakMb) end(swollen(now));
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
