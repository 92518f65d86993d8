/** Runs cases one by one in a process that may crash, hang or swell; `watch.ts` starts and watches it. */
import { setImmediate } from 'node:timers/promises';
import type { Outcome } from './case';

export interface Question {
  /** Path of the file of the case. */
  readonly path: string;
  readonly settings: unknown;
}

/** How the case ended, or the error that the target threw. */
export type Answer = { readonly outcome: Outcome } | { readonly failure: string };

interface Target {
  /** @throws if the library behaves wrongly */
  runCase(path: string, settings: unknown): Outcome | Promise<Outcome>;
}

async function answer(target: Target, { path, settings }: Question): Promise<Answer> {
  try {
    const outcome = await target.runCase(path, settings);
    // A rejection that nobody handles ends this process now, not in the next case.
    await setImmediate();
    return { outcome };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- its path is an argument
const target = require(process.argv[2]) as Target;
process.on('message', (question: Question) => {
  void answer(target, question).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
