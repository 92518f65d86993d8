/** Runs cases in a watched process: one that crashes, hangs or swells has failed and is replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Answer, CaseEnd, Question } from './fuzz-process';

export interface Limits {
  /** For one case, that of ONNX Runtime included, in ms. */
  readonly timeMs: number;
  /** Of the process that runs the library, Node.js included, in MB (2^20 bytes). */
  readonly memoryMb: number;
}

export type Verdict =
  | (CaseEnd & { readonly ownMs: number; readonly peakMb: number })
  | { readonly failure: string; readonly limit?: keyof Limits };

/** A process that keeps more than this after a case would blame the next one for it. */
const MAX_RESTING_MB = 150;

/** How often the memory of a busy process is looked at, in ms. */
const POLL_MS = 100;

/** The end of what a process says before it dies, in characters. */
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
    // What the process still held of earlier cases is not this one's.
    return isSwollen && !wasFresh ? this.attempt(question) : verdict;
  }

  /** Ends the process and all that it started. */
  stop(): void {
    const { child } = this;
    this.child = undefined;
    if (child?.pid === undefined) return;
    child.removeAllListeners();
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }

  private async attempt(question: Question): Promise<Verdict> {
    const child = (this.child ??= this.start());
    const result = await this.watch(child, question);
    if ('failure' in result || result.restingMb > MAX_RESTING_MB) this.stop();
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
      // A group of its own, so that what it starts ends with it.
      detached: true,
    });
  }

  /** The answer, or the failure to give one. */
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

/** 0 where it cannot be told: then the process tells its peak by itself, if it lives. */
function residentMb(pid: number | undefined): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // No Linux, or the process has just ended.
    return 0;
  }
}
