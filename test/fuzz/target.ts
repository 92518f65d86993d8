/** What is fuzzed: the way from a model's file to a plan with all of its slices' digests, as at synth. */
import { compile } from '../../lib/compile';
import { SlicedInferenceError } from '../../lib/errors';
import { automatic, count } from '../../lib/plan/slicers';
import type { CaseEnd } from './fuzz-process';
import { PersistentInference } from './persistent-inference';

/** The library waits a minute for ONNX Runtime. In the seconds that a case has, it cannot. */
const INFERENCE_TIMEOUT_MS = 4000;

/** An error is one line that a terminal shows whole. */
const MAX_MESSAGE_LENGTH = 2000;

const inference = new PersistentInference(INFERENCE_TIMEOUT_MS);
inference.install();

/** @throws whatever the library throws but must not */
export function runCase(modelPath: string, slices: number): CaseEnd {
  inference.last = undefined;
  inference.waitedMs = 0;
  try {
    compile(modelPath, slices === 0 ? automatic() : count(slices));
    return { outcome: 'accepted', message: '', waitedMs: inference.waitedMs };
  } catch (error) {
    if (!(error instanceof SlicedInferenceError)) throw error;
    checkMessage(error.message);
    return { outcome: refusal(), message: error.message, waitedMs: inference.waitedMs };
  }
}

/** Who refused the model. */
function refusal(): CaseEnd['outcome'] {
  const { last } = inference;
  if (last === undefined) return 'refused';
  if ('error' in last) return 'no answer of ONNX Runtime';
  if ('status' in last) return 'crashed ONNX Runtime';
  return last.stdout.startsWith('{"error"') ? 'refused by ONNX Runtime' : 'refused';
}

function checkMessage(message: string): void {
  if (message.length > MAX_MESSAGE_LENGTH) throw new Error(`a message of ${message.length} characters`);
  const odd = /[\p{Cc}\p{Zl}\p{Zp}]/u.exec(message);
  if (odd === null) return;
  throw new Error(`a message with the character ${odd[0].charCodeAt(0)}: ${JSON.stringify(message)}`);
}
