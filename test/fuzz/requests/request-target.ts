/**
 * Sends a mutated event to slices, as any caller with permission to invoke a function can. Each slice returns the right answer, or fails
 * with a name of `contract/failures.ts`. A slice writes only objects of the event's run, and only if the run's name is valid.
 */
import * as fs from 'node:fs';
import { ERROR_NAMES, type ErrorName } from '../../../contract/failures';
import type { SliceAnswer, WarmUpAnswer } from '../../../contract/slice-event';
import { decodeSafetensors } from '../../../lambda/tensors/safetensors';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import { ACCEPTED, type CaseEnd, refused } from '../fuzz-case';
import { checkFailure, checkLog, checkResults, inputsOf } from './checked-ending';
import { checkSame, expectedResults, firstSliceResults } from './expected-results';
import { VALID } from './request-cases';
import { isValidRun } from './runs';
import { beginCase, call, checkObjects, type Ending, objectIn, requested, written } from './slices';
import { STORED_KEY } from './valid-requests';

type Fields = Readonly<Record<string, unknown>>;

const { corruptTensor, invalidInput, planChanged, sliceFailed } = ERROR_NAMES;

export async function runCase(filePath: string, choice: number): Promise<CaseEnd> {
  const event: unknown = JSON.parse(fs.readFileSync(filePath, 'utf8'));
  beginCase();
  const end = await send(event, (typeof event === 'object' && event !== null ? event : {}) as Fields);
  if (choice === VALID && end.outcome !== 'accepted')
    throw new Error(`refused a valid request: ${end.message}`);
  return end;
}

async function send(event: unknown, fields: Fields): Promise<CaseEnd> {
  const { run, request, tensors } = fields;
  const first = await call(0, event);
  checkObjects(run);
  if (!isValid(fields)) return refusedEvent(first, request);
  if (fields.warmUp === true) return warmedUp(first, request);
  if ('error' in first) {
    if (written().length > 0) throw new Error('wrote something for a refused request');
    const message = checkFailure(first.error, [invalidInput], request);
    // The second slice gets the same event, and must not trust that the first one has seen it.
    await checkLater(fields);
    return refused(message);
  }
  const handedOn = handedOnBy(first.answer as SliceAnswer, fields);
  const last = await call(1, { ...fields, tensors: tensors ?? { 0: handedOn } });
  checkObjects(run);
  const expected = expectedResults(inputsOf(request));
  const allowed = failuresOf(fields, handedOn, expected !== undefined);
  if (allowed.length > 0) {
    if ('answer' in last) throw new Error('a result of tensors that no slice has sent, or that do not fit');
    const message = checkFailure(last.error, allowed, request);
    return refused(message, expected === undefined ? 'refused by ONNX Runtime' : 'refused');
  }
  if ('error' in last) throw new Error('a later slice failed', { cause: last.error });
  checkResults(request, (last.answer as SliceAnswer).outputs, expected ?? new Map());
  checkLog(request);
  return ACCEPTED;
}

/** The errors of which the second slice must have one. Only ONNX Runtime can know that `x` and `scale` do not fit each other. */
function failuresOf({ tensors }: Fields, handedOn: string, doInputsFit: boolean): readonly ErrorName[] {
  const sent = isObject(tensors) && Object.hasOwn(tensors, '0') ? tensors['0'] : 's3';
  if (sent !== 's3') return [corruptTensor, sliceFailed];
  const isMissing = tensors !== undefined && handedOn !== 's3';
  return isMissing || !doInputsFit ? [sliceFailed] : [];
}

/** @returns what the first slice answers for the event of the next one, after a check of the tensors in it or in S3 */
function handedOnBy({ tensors = 's3' }: SliceAnswer, { run, request }: Fields): string {
  const inS3 = objectIn(`runs/${String(run)}/slice-00.safetensors`);
  if ((inS3 === undefined) !== (tensors !== 's3')) throw new Error('tensors in the wrong place');
  const file = inS3 ?? Buffer.from(tensors, 'base64');
  checkSame(decodeSafetensors(file), firstSliceResults(inputsOf(request)));
  return tensors;
}

function isValid({ version, deploymentDigest, run, warmUp, tensors, maxTensors }: Fields): boolean {
  const isWarmUp = warmUp === undefined || warmUp === true;
  const isLimit =
    maxTensors === undefined ||
    (Number.isSafeInteger(maxTensors) && Number(maxTensors) >= 0 && Number(maxTensors) <= 98_304);
  const isOurs = version === 1 && deploymentDigest === DEPLOYMENT_DIGEST && isValidRun(run);
  return isOurs && isWarmUp && isLimit && (tensors === undefined || isObject(tensors));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusedEvent(ending: Ending, request: unknown): CaseEnd {
  if ('answer' in ending) throw new Error('accepted an event that no state machine sends');
  if (written().length + requested().length > 0) throw new Error('used S3 for a refused event');
  return refused(checkFailure(ending.error, [sliceFailed, planChanged, invalidInput], request));
}

function warmedUp(ending: Ending, request: unknown): CaseEnd {
  if ('error' in ending) throw new Error('a warm-up failed', { cause: ending.error });
  if (written().length > 0) throw new Error('a warm-up wrote something');
  const { slice, cold, loadMs } = ending.answer as WarmUpAnswer;
  if (slice !== 0 || typeof cold !== 'boolean' || typeof loadMs !== 'number')
    throw new Error('no answer to a warm-up');
  checkLog(request);
  return ACCEPTED;
}

/** Sends the event to the last slice after the first one has computed a valid request of the same run. */
async function checkLater(fields: Fields): Promise<void> {
  const before = await call(0, { ...fields, request: { version: 1, inputs: { s3: STORED_KEY } } });
  if ('error' in before) throw new Error('refused a valid request', { cause: before.error });
  const later = await call(1, fields);
  checkObjects(fields.run);
  if (!('error' in later)) throw new Error('a later slice accepted a request that the first one refused');
  checkFailure(later.error, [invalidInput], fields.request);
}
