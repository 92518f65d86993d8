/** Runs cases in a process that is replaced when it crashes, hangs or swells. */
import { type ChildProcess, fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Answer, CaseEnd, Question } from './fuzz-process';

export interface Limits {
  /** Time of one case, including ONNX Runtime, in ms. */
  readonly timeMs: number;
  /** Memory of the process that runs the library, including Node.js, in MB (2^20 bytes). */
  readonly memoryMb: number;
  /** A process that holds more memory after a case, in MB, is replaced: the memory would count against the next case. */
  readonly restingMb: number;
}

export type Verdict =
  | (CaseEnd & { readonly ownMs: number; readonly peakMb: number })
  | { readonly failure: string; readonly limit?: 'timeMs' | 'memoryMb' };

/** Interval of the memory checks of a busy process, in ms. */
const POLL_MS = 100;

/** Number of characters to show of a process's last output. */
const LAST_WORDS = 500;

export class Watcher {
  private child: ChildProcess | undefined;

  /** @param target absolute path of the module that is fuzzed, see `Target` */
  constructor(
    private readonly target: string,
    private readonly limits: Limits,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  async judge(question: Question): Promise<Verdict> {
    const wasFresh = this.child === undefined;
    const verdict = await this.attempt(question);
    const isSwollen = 'failure' in verdict && verdict.limit === 'memoryMb';
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
    const child = (this.child ??= this.start());
    const result = await this.watch(child, question);
    if ('failure' in result || result.restingMb > this.limits.restingMb) this.stop();
    if ('failure' in result) return result;
    const { end, ownMs, peakMb } = result;
    if (peakMb > this.limits.memoryMb) {
      this.stop();
      return swollen(peakMb);
    }
    return 'thrown' in end ? { failure: end.thrown } : { ...end, ownMs, peakMb };
  }

  private start(): ChildProcess {
    return fork(path.join(__dirname, 'fuzz-process.js'), [this.target], {
      env: this.environment,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A process group, so that its child processes end with it.
      detached: true,
    });
  }

  /** Returns the answer of the process, or why it has none. */
  private watch(
    child: ChildProcess,
    question: Question,
  ): Promise<Answer | Extract<Verdict, { failure: string }>> {
    return new Promise((resolve) => {
      let lastWords = '';
      const end = (result: Answer | Extract<Verdict, { failure: string }>): void => {
        clearTimeout(timer);
        clearInterval(poll);
        child.removeAllListeners();
        child.stderr?.removeAllListeners();
        resolve(result);
      };
      const timer = setTimeout(() => {
        end({ failure: `no end within ${this.limits.timeMs / 1000} s`, limit: 'timeMs' });
      }, this.limits.timeMs);
      const poll = setInterval(() => {
        const now = residentMb(child.pid);
        if (now > this.limits.memoryMb) end(swollen(now));
      }, POLL_MS);
      child.stderr?.on('data', (text: Buffer) => {
        lastWords = `${lastWords}${text.toString()}`.slice(-LAST_WORDS);
      });
      child.once('message', (answer: Answer) => {
        end(answer);
      });
      child.once('exit', (code, signal) => {
        end({ failure: `ended its process with ${signal ?? `code ${code}`} ${lastWords}`.trim() });
      });
      child.send(question);
    });
  }
}

function swollen(peakMb: number): Verdict & { failure: string } {
  return { failure: `took ${Math.round(peakMb)} MB of memory`, limit: 'memoryMb' };
}

/** Returns 0 if the system does not tell: then the process reports its own peak after the case. */
function residentMb(pid: number | undefined): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // Another system, or the process has just ended.
    return 0;
  }
}
