/**
 * The wait of the whole command: shows the progress of the execution, and ends after `--timeout` or at Ctrl-C. The supervising process then
 * sends SIGTERM, which would otherwise end this process before it can stop the execution.
 */
import { InferenceTimeoutError, type CallOptions } from '../../client';
import { firstOf, MAX_TIMER_MS, Wait } from '../../client/run/wait';
import { TERMINATED } from '../process/exit-codes';
import { quantityText } from '../plan/figures';
import { printLine } from '../terminal/print';
import { showProgress } from '../terminal/progress';
import type { InvokeOptions } from './inputs';

/** Often enough for the seconds to count. */
const REDRAW_MS = 1000;

export class Waiting {
  private readonly interruption = new AbortController();
  private readonly wait: Wait;
  private startedAt: number | undefined;
  /** Of a Standard execution that has started. An Express one is known when it has ended. */
  private executionArn: string | undefined;
  /** Why the last request for the state failed, which is sent again. */
  private failure: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Which of the repeated runs this is, such as `run 2 of 10: `. */
  place = '';

  constructor(private readonly options: Pick<InvokeOptions, 'timeout' | 'stopOnAbort'>) {
    const { timeout } = options;
    const limit = timeout ?? MAX_TIMER_MS;
    this.wait = new Wait(this.interruption.signal, limit, () => {
      const cause =
        this.failure === undefined
          ? ': raise --timeout'
          : `, and the last request failed (${this.failure}): check the connection or raise --timeout`;
      const message = `the call must end within ${quantityText('milliseconds', limit)}, got no result${cause}`;
      return new InferenceTimeoutError(message, this.executionArn);
    });
    process.once('SIGTERM', this.interrupt);
  }

  get callOptions(): CallOptions {
    const { timeout, stopOnAbort } = this.options;
    return {
      // Otherwise the client has a limit of its own. This one starts later than that of the command, which therefore ends first.
      ...(timeout !== undefined && { waitTimeout: timeout }),
      ...(stopOnAbort !== undefined && { stopOnAbort }),
      signal: this.wait.signal,
      onProgress: ({ event, time, executionArn, error }) => {
        this.failure = error?.message;
        if (event === 'started') [this.startedAt, this.executionArn] = [time, executionArn];
        // A deployment has replaced the model.
        if (event === 'restarted') [this.startedAt, this.executionArn] = [undefined, undefined];
        this.draw();
      },
    };
  }

  /** Waits for something else within the same time. */
  async firstOf<T>(promise: Promise<T>): Promise<T> {
    return await firstOf([promise], this.wait.signal);
  }

  start(place = ''): void {
    clearInterval(this.timer);
    [this.place, this.startedAt, this.executionArn] = [place, undefined, undefined];
    this.timer = setInterval(this.draw, REDRAW_MS);
    this.draw();
  }

  /** Says what happens to the execution, if Ctrl-C ended the wait. Returns whether it did. */
  explainInterruption(error: unknown): boolean {
    const { signal } = this.interruption;
    if (!signal.aborted) return false;
    process.exitCode = TERMINATED;
    // Another error says that the execution could not be stopped.
    if (error !== signal.reason) return false;
    if (this.startedAt !== undefined) printLine(`note: ${this.fate()}`);
    return true;
  }

  end(): void {
    clearInterval(this.timer);
    this.wait.end();
    process.off('SIGTERM', this.interrupt);
  }

  private fate(): string {
    const { executionArn } = this;
    if (executionArn === undefined) return 'the execution goes on: an Express execution cannot be stopped';
    return this.options.stopOnAbort
      ? `the execution was stopped: ${executionArn}`
      : `the execution goes on, because --stop-on-abort is not set: ${executionArn}`;
  }

  private readonly interrupt = (): void => {
    this.interruption.abort(new Error('the command was interrupted'));
  };

  private readonly draw = (): void => {
    const seconds = Math.floor((Date.now() - (this.startedAt ?? NaN)) / 1000);
    const what = Number.isNaN(seconds) ? 'sending the inputs' : `running the execution: ${seconds} s`;
    showProgress(`${this.place}${what}`);
  };
}
