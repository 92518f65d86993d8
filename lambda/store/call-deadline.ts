import { setTimeout } from 'node:timers/promises';

export interface Clock {
  /** In milliseconds. */
  now(): number;
  pause(milliseconds: number): Promise<unknown>;
}

export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), pause: setTimeout };

/** For another attempt, and for the response of the function. */
const REPORT_MS = 1_000;

/** When the function's timeout ends the call in progress, by the clock of the retries. */
export class CallDeadline {
  private at = Infinity;

  constructor(private readonly clock: Clock = SYSTEM_CLOCK) {}

  /** @param remainingMs from Lambda's context of the call */
  start(remainingMs: number): void {
    this.at = this.clock.now() + remainingMs;
  }

  /** Whether a pause and another attempt would leave no time to report the failure. */
  isNear(pauseMs: number): boolean {
    return this.clock.now() + pauseMs + REPORT_MS > this.at;
  }
}
