/** Makes the analysis of many small models fast, for the tests of a file and for the models that the file analyzes as it loads. */
import { timeAhead } from './file-age';
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
