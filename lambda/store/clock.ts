import { setTimeout } from 'node:timers/promises';

export interface Clock {
  /** In milliseconds. */
  now(): number;
  pause(milliseconds: number): Promise<unknown>;
}

export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), pause: setTimeout };
