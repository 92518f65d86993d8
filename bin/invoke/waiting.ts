/**
 * The wait for an execution: shows its progress, and ends at Ctrl-C. The supervising process then sends SIGTERM, which would
 * otherwise end this process before it can stop the execution.
 */
import type { CallOptions } from '../../client';
import { firstOf } from '../../client/run/abort';
import { TERMINATED } from '../process/exit-codes';
import { showProgress } from '../terminal/progress';
import { ExecutionProgress } from './execution-progress';

/** Often enough for the seconds to count. */
const REDRAW_MS = 1000;

export class Waiting {
  private readonly controller = new AbortController();
  private readonly progress = new ExecutionProgress();
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    process.once('SIGTERM', this.interrupt);
  }

  /** For a call of the client. */
  get callOptions(): Required<Pick<CallOptions, 'signal' | 'onProgress'>> {
    return {
      signal: this.controller.signal,
      onProgress: (progress) => {
        this.progress.report(progress);
        this.draw();
      },
    };
  }

  /** Waits for something else, as long as the command is not interrupted. */
  async firstOf<T>(promise: Promise<T>): Promise<T> {
    return await firstOf([promise], this.controller.signal);
  }

  /** Shows the progress until the wait ends. */
  start(): void {
    this.timer = setInterval(this.draw, REDRAW_MS);
    this.draw();
  }

  /** Says what happens to the execution, if Ctrl-C ended the wait. Returns whether it did. */
  explainInterruption(error: unknown, stopOnAbort = false): boolean {
    const { signal } = this.controller;
    if (!signal.aborted) return false;
    process.exitCode = TERMINATED;
    // Another error says that the execution could not be stopped.
    if (error !== signal.reason) return false;
    if (this.progress.hasStarted) process.stderr.write(`note: ${this.fate(stopOnAbort)}\n`);
    return true;
  }

  end(): void {
    clearInterval(this.timer);
    process.off('SIGTERM', this.interrupt);
  }

  private fate(stopOnAbort: boolean): string {
    const { executionArn } = this.progress;
    if (executionArn === undefined) return 'the execution goes on: an Express execution cannot be stopped';
    return stopOnAbort
      ? `the execution was stopped: ${executionArn}`
      : `the execution goes on, because --stop-on-abort is not set: ${executionArn}`;
  }

  private readonly interrupt = (): void => {
    this.controller.abort(new Error('the command was interrupted'));
  };

  private readonly draw = (): void => {
    showProgress(this.progress.line(Date.now()));
  };
}
