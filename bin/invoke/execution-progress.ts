/** What is known of an execution while it runs, as one line for the terminal. */
import type { InferenceProgress } from '../../client';

export class ExecutionProgress {
  /** Names of the states that were entered and not left. Those of branches run at the same time. */
  private open: readonly string[] = [];
  private startedAt: number | undefined;
  private arn: string | undefined;
  /** Why the last request for the state failed, which is sent again. */
  private failure: string | undefined;

  /** Of a Standard execution that has started. An Express one is known when it has ended. */
  get executionArn(): string | undefined {
    return this.arn;
  }

  get lastFailure(): string | undefined {
    return this.failure;
  }

  get hasStarted(): boolean {
    return this.startedAt !== undefined;
  }

  report({ event, state, time, executionArn, error }: InferenceProgress): void {
    this.failure = error?.message;
    if (event === 'started') [this.startedAt, this.arn] = [time, executionArn];
    if (event === 'restarted') [this.startedAt, this.arn, this.open] = [undefined, undefined, []];
    if (state === undefined) return;
    if (event === 'stateEntered') this.open = [...this.open, state];
    if (event === 'stateExited') this.open = without(this.open, state);
  }

  /** @param now milliseconds since 1970 */
  line(now: number): string {
    if (this.startedAt === undefined) return 'sending the inputs';
    const seconds = Math.max(0, Math.floor((now - this.startedAt) / 1000));
    const states = this.open.length === 0 ? 'the execution' : this.open.join(', ');
    const failure = this.failure === undefined ? '' : ` (asking again: ${this.failure})`;
    return `running ${states}: ${seconds} s${failure}`;
  }
}

/** Leaves out one of the states of this name: a `Map` enters the same state several times. */
function without(states: readonly string[], state: string): string[] {
  const index = states.indexOf(state);
  return states.filter((_, place) => place !== index);
}
