/** Runs cases in a process that is replaced when a case fails, or when the process crashes, hangs or swells. */
import { type ChildProcess, fork } from 'node:child_process';
import * as fs from 'node:fs';
import { builtFile } from '../../lib/host/packages';
import type { Answer, Question } from './child';

export interface Limits {
  /** Time of one case, in seconds. The first case of a process includes loading the library. */
  readonly seconds: number;
  /** Memory of the process that runs the library, including Node.js, in MB (2^20 bytes). */
  readonly peakMb: number;
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

  /** @param target path of the built module that is fuzzed */
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
    this.child ??= fork(builtFile('test/fuzz/child.js'), [this.target], {
      env: this.environment,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A process group, so that its child processes end with it.
      detached: true,
    });
    const answer = await this.answerOf(this.child, question);
    const { peakMb, restingMb } = memoryOf(this.child);
    const isSwollen = peakMb > this.limits.peakMb;
    // The memory that a process keeps would count against the next case.
    if ('failure' in answer || isSwollen || restingMb > this.limits.peakMb / 2) this.stop();
    return isSwollen && !('failure' in answer) ? swollen(peakMb) : answer;
  }

  private answerOf(child: ChildProcess, question: Question): Promise<Answer | Failure> {
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
        end({ failure: `no end within ${this.limits.seconds} s` });
      }, 1000 * this.limits.seconds);
      const poll = setInterval(() => {
        const { restingMb: now } = memoryOf(child);
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

/** Memory of the process, in MB: 0 on other systems than Linux, and if the process has ended. */
function memoryOf({ pid }: ChildProcess): { peakMb: number; restingMb: number } {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    const [peakMb, restingMb] = ['VmHWM', 'VmRSS'].map(
      (field) => parseInt(status.split(`${field}:`)[1]) / 1024,
    );
    return { peakMb, restingMb };
  } catch {
    return { peakMb: 0, restingMb: 0 };
  }
}
