/**
 * Sends a mutated event to slices, as any caller with permission to invoke a function can. Each slice returns the right answer, or fails
 * with a name of `contract/failures.ts`. A slice writes only objects of the event's run, and only if the run's name is valid.
 */
import * as fs from 'node:fs';
import type { ExecutionInput, ExecutionOutputs } from '../../../contract/execution';
import { ERROR_NAMES, type ErrorName } from '../../../contract/failures';
import type { SliceAnswer, WarmUpAnswer } from '../../../contract/slice-event';
import { decodeSafetensors } from '../../../lambda/tensors/safetensors';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import { checkMessage, MAX_CAUSE_LENGTH, type Outcome } from '../case';
import {
  checkSame,
  decodedAll,
  expectedResults,
  firstSliceResults,
  inputsOf,
  type NamedTensors,
} from './oracle';
import { CONTENTS, STORED_KEY, VALID } from './request-cases';
import { beginCase, call, type Ending, lines, objectIn, requested, written } from './slices';

type Fields = Readonly<Record<string, unknown>>;

const { corruptTensor, invalidInput, planChanged, sliceFailed } = ERROR_NAMES;

export async function runCase(filePath: string, settings?: unknown): Promise<Outcome> {
  const event: unknown = JSON.parse(fs.readFileSync(filePath, 'utf8'));
  beginCase();
  const outcome = await send(event, isObject(event) ? event : {});
  if (settings === VALID && outcome !== 'accepted') throw new Error('refused a valid request');
  return outcome;
}

async function send(event: unknown, fields: Fields): Promise<Outcome> {
  const { run, request, tensors } = fields;
  const first = await call(0, event, run);
  if (!isValid(fields)) return refusedEvent(first, request);
  if (fields.warmUp === true) return warmedUp(first, request);
  if ('error' in first) {
    if (written().length > 0) throw new Error('wrote something for a refused request');
    checkFailure(first.error, [invalidInput], request);
    // The second slice gets the same event, and must not trust that the first one has seen it.
    await checkLater(fields);
    return 'refused';
  }
  const handedOn = handedOnBy(first.answer as SliceAnswer, fields);
  const last = await call(1, { ...fields, tensors: tensors ?? { 0: handedOn } }, run);
  const allowed = failuresOf(fields, handedOn);
  if (allowed.length > 0) {
    if ('answer' in last) throw new Error('a result of tensors that no slice has sent');
    checkFailure(last.error, allowed, request);
    return 'refused';
  }
  if ('error' in last) throw new Error('a later slice failed', { cause: last.error });
  checkResults(request, (last.answer as SliceAnswer).outputs, expectedResults(inputsOf(request)));
  checkLog(request);
  return 'accepted';
}

/** The errors of which the second slice must have one. */
function failuresOf({ tensors }: Fields, handedOn: string): readonly ErrorName[] {
  const sent = isObject(tensors) && Object.hasOwn(tensors, '0') ? tensors['0'] : 's3';
  if (sent !== 's3') return [corruptTensor, sliceFailed];
  return tensors !== undefined && handedOn !== 's3' ? [sliceFailed] : [];
}

/** @returns what the first slice answers for the event of the next one, after a check of the tensors in it or in S3 */
function handedOnBy({ tensors = 's3' }: SliceAnswer, { run, request }: Fields): string {
  const inS3 = objectIn(`runs/${String(run)}/slice-00.safetensors`);
  if ((inS3 === undefined) !== (tensors !== 's3')) throw new Error('tensors in the wrong place');
  const file = inS3 ?? Buffer.from(tensors, 'base64');
  checkSame(decodeSafetensors(file), firstSliceResults(inputsOf(request)));
  return tensors;
}

function isValid({ version, deploymentDigest, run, warmUp, tensors, maxTensors = 0 }: Fields): boolean {
  const isWarmUp = warmUp === undefined || warmUp === true;
  const isLimit = Number.isSafeInteger(maxTensors) && Number(maxTensors) >= 0 && Number(maxTensors) <= 98_304;
  const isOurs = version === 1 && deploymentDigest === DEPLOYMENT_DIGEST && isValidRun(run);
  return isOurs && isWarmUp && isLimit && (tensors === undefined || isObject(tensors));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a name must not have: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
const EXCLUDED = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\u{fffe}\u{ffff}\u{10ffff}]/u;

/** Whether the state machine could have made the name, and its objects are where keys of S3 say. */
function isValidRun(run: unknown): boolean {
  const parts = typeof run === 'string' ? run.split('/') : [];
  const isName = (name: string): boolean =>
    /^.{1,80}$/su.test(name) && name !== '.' && name !== '..' && !EXCLUDED.test(name);
  return parts.length >= 2 && parts.length <= 4 && parts.every(isName);
}

function refusedEvent(ending: Ending, request: unknown): Outcome {
  if ('answer' in ending) throw new Error('accepted an event that no state machine sends');
  if (written().length + requested().length > 0) throw new Error('used S3 for a refused event');
  checkFailure(ending.error, [sliceFailed, planChanged, invalidInput], request);
  return 'refused';
}

function warmedUp(ending: Ending, request: unknown): Outcome {
  if ('error' in ending) throw new Error('a warm-up failed', { cause: ending.error });
  if (written().length > 0) throw new Error('a warm-up wrote something');
  const { slice, cold, loadMs } = ending.answer as WarmUpAnswer;
  if (slice !== 0 || typeof cold !== 'boolean' || typeof loadMs !== 'number')
    throw new Error('no answer to a warm-up');
  checkLog(request);
  return 'accepted';
}

/** Sends the event to the last slice after the first one has computed a valid request of the same run. */
async function checkLater(fields: Fields): Promise<void> {
  const valid = { ...fields, request: { version: 1, inputs: { s3: STORED_KEY } } };
  if ('error' in (await call(0, valid, fields.run))) throw new Error('refused a valid request');
  const later = await call(1, fields, fields.run);
  if (!('error' in later)) throw new Error('a later slice accepted a request that the first one refused');
  checkFailure(later.error, [invalidInput], fields.request);
}

/** Step Functions includes results up to a size. Well below it, they must be there. */
const SURELY_INLINE_BYTES = 100_000;

/** @throws if the results are not the expected ones, in S3 and inline */
function checkResults(request: unknown, outputs: ExecutionOutputs | undefined, expected: NamedTensors): void {
  if (outputs === undefined) throw new Error('an answer of the last slice without outputs');
  const { s3, tensors } = outputs;
  const { output } = request as ExecutionInput;
  if ((s3 === undefined) !== (output?.inline === 'only')) throw new Error('results in the wrong place');
  const file = s3 && (objectIn(s3.key) ?? new Uint8Array());
  if (file !== undefined) checkSame(decodeSafetensors(file), expected);
  const isSmall = file === undefined || file.byteLength < SURELY_INLINE_BYTES;
  if (tensors !== undefined) checkSame(decodedAll(tensors), expected);
  if (tensors !== undefined && output?.inline === 'never')
    throw new Error('inline results that the request does not want');
  if (tensors === undefined && output?.inline !== 'never' && isSmall) throw new Error('no inline results');
}

/** @throws if the failure has another name than the allowed ones, is not one bounded line of JSON, or tells contents of the request */
function checkFailure(error: unknown, allowed: readonly ErrorName[], request: unknown): void {
  if (!(error instanceof Error)) throw new Error(`threw ${String(error)}`);
  const { name, message, stack } = error;
  if (!allowed.some((own) => own === name))
    throw new Error(`failed with ${name}: ${message}`, { cause: error });
  if (stack !== name) throw new Error(`a stack trace: ${stack}`);
  checkMessage(message, MAX_CAUSE_LENGTH);
  const cause = JSON.parse(message) as Record<string, unknown>;
  if (typeof cause.message !== 'string' || !Number.isInteger(cause.slice))
    throw new Error(`the cause ${message}`);
  checkMessage(cause.message);
  checkLog(request, [message]);
}

const MAX_LINE_LENGTH = 4000;

/** @throws if a line of the log is long or not one line of JSON, or tells contents of the request */
function checkLog(request: unknown, more: readonly string[] = []): void {
  for (const line of lines) checkMessage(line, MAX_LINE_LENGTH);
  const told = [...lines, ...more].join('\n').replaceAll('\\"', '"');
  const names = namesIn([request, ...lines.map((line) => JSON.parse(line) as unknown)]);
  const content = CONTENTS.map(String).find((each) => told.includes(each) && !names.includes(each));
  if (content !== undefined) throw new Error(`a cause or a log with the content ${content}: ${told}`);
}

/** Messages and logs show the names of tensors, the key of a request in S3 and the name of the run. A mutation may copy contents into them. */
function namesIn(values: unknown): string {
  const names: string[] = [];
  const pending = [values];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      pending.push(inner);
      names.push(name);
      if (typeof inner === 'string' && (name === 's3' || name === 'run')) names.push(inner);
    }
  }
  return names.join('\n');
}
