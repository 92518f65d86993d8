/** Compiles a mutated model and writes its slices, as synthesis does. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { compile } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { automatic, count } from '../../../lib/plan/slicers';
import { timeAhead } from '../../support/inference/fast-analysis';
import { PersistentInference } from '../../support/inference/persistent-inference';
import { outcomeOf, type Outcome } from '../case';

/** Less than the minute that the library waits for ONNX Runtime: a case has only a few seconds. */
const INFERENCE_TIMEOUT_MS = 4000;

const inference = new PersistentInference(INFERENCE_TIMEOUT_MS);
inference.install();
// Each model is compiled once, without a cache that could take it for another one.
Date.now = timeAhead;

export function runCase(modelPath: string, slices: number): Outcome {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slices-'));
  inference.last = undefined;
  try {
    return outcomeOf(() => {
      writeSlices(compile(modelPath, slices === 0 ? automatic() : count(slices)), folder);
    }, refusal);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Tells whether the library or ONNX Runtime refused the model, which may also crash, or not answer. */
function refusal(): Outcome {
  const { last } = inference;
  if (last === undefined) return 'refused';
  return 'stdout' in last && !last.stdout.startsWith('{"error"') ? 'refused' : 'refused by ONNX Runtime';
}
