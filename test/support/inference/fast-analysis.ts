/** Makes the analysis of many small models fast, for the tests of a file and for the models that the file analyzes as it loads. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../../lib/host/package-files';
import { timeAhead } from './file-age';
import { PersistentInference } from './persistent-inference';

/** As long as the library waits for ONNX Runtime itself. */
const INFERENCE_TIMEOUT_MS = 60_000;

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
  // `npm test` builds the worker. Without it, the library starts a process per question.
  const worker = path.join(packageRoot(), 'dist/test/support/inference/inference-worker.js');
  if (!fs.existsSync(worker)) return;
  const end = new PersistentInference(INFERENCE_TIMEOUT_MS).install();
  afterAll(end);
}

/** Reads files that have just been written without waiting; see `timeAhead` for the condition. */
export function readFreshFilesAtOnce(): void {
  const clock = jest.spyOn(Date, 'now').mockImplementation(timeAhead);
  afterAll(() => {
    clock.mockRestore();
  });
}
