/**
 * Sends a mutated event to slices, as anyone may who has permission to invoke a function. They answer rightly, or fail with one
 * of the names of `contract/failures.ts`; they write only objects of the event's run, and only if its name is valid.
 */
import * as fs from 'node:fs';
import { ERROR_NAMES, type ErrorName } from '../../../contract/failures';
import type { SliceAnswer, WarmUpAnswer } from '../../../contract/slice-event';
import { decodeSafetensors } from '../../../lambda/tensors/safetensors';
import { BUCKET, DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import type { CaseEnd } from '../fuzz-process';
import { checkFailure, checkLog, checkResults, inputsOf } from './checked-ending';
import { EVENT_MODELS } from './event-cases';
import { checkSame, expectedResults, firstSliceResults } from './expected-results';
import { isValidRun } from './runs';
import { beginCase, call, checkObjects, objects, type Ending } from './slices';
import { STORED_KEYS } from './valid-requests';

type Fields = Readonly<Record<string, unknown>>;

const DAMAGED: readonly ErrorName[] = [ERROR_NAMES.corruptTensor, ERROR_NAMES.sliceFailed];

const NOT_OURS: readonly ErrorName[] = [
  ERROR_NAMES.sliceFailed,
  ERROR_NAMES.planChanged,
  ERROR_NAMES.invalidInput,
];

export async function runCase(filePath: string, choice: number): Promise<CaseEnd> {
  const event: unknown = JSON.parse(fs.readFileSync(filePath, 'utf8'));
  const model = EVENT_MODELS[choice];
  const fields = (typeof event === 'object' && event !== null ? event : {}) as Fields;
  beginCase();
  const first = await call(model === 'tiny' ? 'tiny 0' : 'echo', event);
  checkObjects(fields.run);
  if (!isValid(fields)) return refusedEvent(first, fields);
  if (fields.warmUp === true) return warmedUp(first, fields);
  if ('error' in first) {
    const end = refusedRequest(first.error, fields);
    // Later slices get the same event, and must not trust that the first one has seen it.
    if (model === 'tiny') await checkLater(fields);
    return end;
  }
  const expected = expectedResults(model, inputsOf(fields.request));
  if (model === 'echo') {
    if (expected === undefined) throw new Error('a result of inputs that do not fit each other');
    checkResults(fields.request, (first.answer as SliceAnswer).outputs, expected);
    return accepted(fields);
  }
  const handedOn = handedOnBy(first.answer as SliceAnswer, fields);
  const last = await call('tiny 1', { ...fields, tensors: fields.tensors ?? { 0: handedOn } });
  checkObjects(fields.run);
  if (isHostile(fields.tensors)) {
    if (!('error' in last)) throw new Error('a result of tensors that no slice has sent');
    return refused(checkFailure(last.error, DAMAGED, fields.request));
  }
  if (fields.tensors !== undefined && handedOn !== 's3') {
    if (!('error' in last)) throw new Error('a result without the tensors of the first slice');
    return refused(checkFailure(last.error, [ERROR_NAMES.sliceFailed], fields.request));
  }
  if (expected === undefined) {
    if (!('error' in last)) throw new Error('a result of inputs that do not fit each other');
    return refused(checkFailure(last.error, [ERROR_NAMES.sliceFailed], fields.request));
  }
  if ('error' in last) throw new Error('a later slice failed', { cause: last.error });
  checkResults(fields.request, (last.answer as SliceAnswer).outputs, expected);
  return accepted(fields);
}

/** @returns what the first slice answers for the event of the next one, after a check of the tensors in it or in S3 */
function handedOnBy({ tensors = 's3' }: SliceAnswer, { run, request }: Fields): string {
  const stored = objects.bytes(`${BUCKET}/runs/${String(run)}/slice-00.safetensors`);
  if ((stored === undefined) !== (tensors !== 's3')) throw new Error('tensors in the wrong place');
  const file = stored ?? Buffer.from(tensors, 'base64');
  checkSame(decodeSafetensors(file), firstSliceResults(inputsOf(request)));
  return tensors;
}

/** Whether the event has tensors of slice 0 that no slice has sent. */
function isHostile(tensors: unknown): boolean {
  return isObject(tensors) && Object.hasOwn(tensors, '0') && tensors['0'] !== 's3';
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

function refusedEvent(ending: Ending, fields: Fields): CaseEnd {
  if ('answer' in ending) throw new Error('accepted an event that no state machine sends');
  const message = checkFailure(ending.error, NOT_OURS, fields.request);
  if (objects.written.length > 0 || objects.requested.length > 0)
    throw new Error('used S3 for a refused event');
  return refused(message);
}

function warmedUp(ending: Ending, fields: Fields): CaseEnd {
  if ('error' in ending) throw new Error('a warm-up failed', { cause: ending.error });
  if (objects.written.length > 0) throw new Error('a warm-up wrote something');
  const { slice, cold, loadMs } = ending.answer as WarmUpAnswer;
  if (slice !== 0 || typeof cold !== 'boolean' || typeof loadMs !== 'number')
    throw new Error('no answer to a warm-up');
  return accepted(fields);
}

function refusedRequest(error: unknown, fields: Fields): CaseEnd {
  if (objects.written.length > 0) throw new Error('wrote something for a refused request');
  return refused(checkFailure(error, [ERROR_NAMES.invalidInput], fields.request));
}

/** Sends the event to the last slice after the first one has computed a valid request of the same run. */
async function checkLater(fields: Fields): Promise<void> {
  const request = { version: 1, inputs: { s3: STORED_KEYS.tiny } };
  const before = await call('tiny 0', { ...fields, request } satisfies Fields);
  if ('error' in before) throw new Error('refused a valid request', { cause: before.error });
  const later = await call('tiny 1', fields);
  checkObjects(fields.run);
  if (!('error' in later)) throw new Error('a later slice accepted a request that the first one refused');
  checkFailure(later.error, [ERROR_NAMES.invalidInput], fields.request);
}

function accepted({ request }: Fields): CaseEnd {
  checkLog(request);
  return { outcome: 'accepted', message: '', waitedMs: 0 };
}

function refused(message: string): CaseEnd {
  return { outcome: 'refused', message, waitedMs: 0 };
}
