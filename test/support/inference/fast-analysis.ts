/** Makes the analysis of many small models fast, for the tests of a file and for the models that the file analyzes as it loads. */
import type { PersistentInference } from './persistent-inference';

/** Of the environment of the tests: the process that all test files of a Jest worker ask. */
declare const sharedInference: () => PersistentInference | undefined;

/** Does both of the following. */
export function analyzeFast(): void {
  askOneProcess();
  readFreshFilesAtOnce();
}

let isAsking = false;

/** Asks ONNX Runtime in one process instead of one per question. Has no effect the second time in a test file. */
export function askOneProcess(): void {
  if (isAsking) return;
  isAsking = true;
  const restore = sharedInference()?.install();
  afterAll(() => restore?.());
}

/** Reads files that have just been written without waiting; see `timeAhead` for the condition. */
export function readFreshFilesAtOnce(): void {
  const clock = jest.spyOn(Date, 'now').mockImplementation(timeAhead);
  afterAll(() => {
    clock.mockRestore();
  });
}

/** Does so during the action alone. */
export function readingFreshFilesAtOnce<T>(action: () => T): T {
  const { now } = Date;
  Date.now = timeAhead;
  try {
    return action();
  } finally {
    Date.now = now;
  }
}

/** Longer than any tick of a file system's clock. */
const FILE_AGE_MS = 5000;

/**
 * A replacement for `Date.now` that makes new files look old. The library waits for up to 2 s before it reads a file
 * that has just changed, so that a further change would show in the file's times. Use this only if no file changes after
 * the library has read it.
 */
export function timeAhead(): number {
  return new Date().getTime() + FILE_AGE_MS;
}
