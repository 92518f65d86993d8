/** Ctrl-C and SIGTERM: the first ends the comparison, the second also ends the destruction of the stacks. */
import * as os from 'node:os';

/** A shell adds it to the number of the signal that ended a program. */
const SIGNALLED = 128;

export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.exitCode = SIGNALLED + os.constants.signals[signal];
  }
}

export interface Interrupts {
  /** The reason is an `Interrupted`. */
  readonly first: AbortSignal;
  readonly second: AbortSignal;
}

/** From now on, the signals no longer end this process. */
export function listenForInterrupts(): Interrupts {
  const [first, second] = [new AbortController(), new AbortController()];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      (first.signal.aborted ? second : first).abort(new Interrupted(signal));
    });
  }
  return { first: first.signal, second: second.signal };
}
