/**
 * Sends a mutated request to slices, as the state machine does. They compute the right result, or refuse the request with
 * `InvalidInput` before anything is written.
 */
import * as fs from 'node:fs';
import type { SliceAnswer } from '../../../contract/slice-event';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import type { CaseEnd } from '../fuzz-process';
import { checkFailure, checkLog, checkResults, inputsOf } from './checked-ending';
import { expectedResults } from './expected-results';
import { inputChoice } from './input-cases';
import { beginCase, call, checkObjects, objects, type SliceName } from './slices';
import type { ModelName } from './valid-requests';

const SLICES_OF: Readonly<Record<ModelName, readonly SliceName[]>> = {
  tiny: ['tiny 0', 'tiny 1'],
  echo: ['echo'],
};

const RUN = 'machine/run/1764000000000';

export async function runCase(filePath: string, choice: number): Promise<CaseEnd> {
  const { model, isValid } = inputChoice(choice);
  const request: unknown = JSON.parse(fs.readFileSync(filePath, 'utf8'));
  beginCase();
  const end = await compute(model, request);
  checkObjects(RUN);
  if (isValid && end.outcome !== 'accepted') throw new Error(`refused a valid request: ${end.message}`);
  return end;
}

async function compute(model: ModelName, request: unknown): Promise<CaseEnd> {
  let last: SliceAnswer | undefined;
  for (const [index, slice] of SLICES_OF[model].entries()) {
    const event = { version: 1, deploymentDigest: DEPLOYMENT_DIGEST, run: RUN, request };
    const ending = await call(slice, event);
    if ('error' in ending) return refused(model, index, request, ending.error);
    last = ending.answer as SliceAnswer;
  }
  checkLog(request);
  const expected = expectedResults(model, inputsOf(request));
  if (expected === undefined) throw new Error('a result of inputs that do not fit each other');
  checkResults(request, last?.outputs, expected);
  return { outcome: 'accepted', message: '', waitedMs: 0 };
}

/** Only ONNX Runtime can know that the sizes of two inputs do not fit each other, in the slice that joins them. */
function refused(model: ModelName, index: number, request: unknown, error: unknown): CaseEnd {
  const isEarly = index === 0;
  const message = checkFailure(error, [isEarly ? 'InvalidInput' : 'SliceFailed'], request);
  if (isEarly && objects.written.length > 0) throw new Error('wrote something for a refused request');
  if (!isEarly && expectedResults(model, inputsOf(request)) !== undefined) {
    throw new Error(`a later slice failed: ${message}`);
  }
  return { outcome: isEarly ? 'refused' : 'refused by ONNX Runtime', message, waitedMs: 0 };
}
