/** Compiles a mutated model and writes its slices, as synthesis does. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { compile } from '../../lib/compile/compile';
import { writeSlices } from '../../lib/emit/write';
import { SlicedInferenceError } from '../../lib/errors';
import { automatic, count } from '../../lib/plan/slicing';
import type { CaseEnd } from './fuzz-process';
import { checkMessage } from './message';
import { timeAhead } from '../support/inference/file-age';
import { PersistentInference } from '../support/inference/persistent-inference';

/** Less than the minute that the library waits for ONNX Runtime: a case has only a few seconds. */
const INFERENCE_TIMEOUT_MS = 4000;

const inference = new PersistentInference(INFERENCE_TIMEOUT_MS);
inference.install();
// Each model is compiled once, without a cache that could take it for another one.
Date.now = timeAhead;

/** @throws errors that the library must not throw: all but `SlicedInferenceError` */
export function runCase(modelPath: string, slices: number): CaseEnd {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slices-'));
  inference.last = undefined;
  inference.waitedMs = 0;
  try {
    writeSlices(compile(modelPath, slices === 0 ? automatic() : count(slices)), folder);
    return { outcome: 'accepted', message: '', waitedMs: inference.waitedMs };
  } catch (error) {
    if (!(error instanceof SlicedInferenceError)) throw error;
    checkMessage(error.message);
    return { outcome: refusal(), message: error.message, waitedMs: inference.waitedMs };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Tells whether the library or ONNX Runtime refused the model. */
function refusal(): CaseEnd['outcome'] {
  const { last } = inference;
  if (last === undefined) return 'refused';
  if ('error' in last) return 'no answer from ONNX Runtime';
  if ('status' in last) return 'crashed ONNX Runtime';
  return last.stdout.startsWith('{"error"') ? 'refused by ONNX Runtime' : 'refused';
}
