/** Requests of a batch as one object of JSON Lines: an upload for each would cost more than their computing. */
import { randomUUID } from 'node:crypto';
import { MAX_LINE_BYTES, MAX_PREPROCESSED_LINE_BYTES, type BatchSignature } from '../../contract/batch';
import { isName } from '../../lambda/batch/item';
import { fieldValue, isRecord, kindOf } from '../../lambda/json-values';
import { encodeShortest } from '../../lambda/request/inline-tensor';
import type { Objects } from '../aws/objects';
import { InferenceError } from '../errors';
import { prepareInputs } from '../request';
import { strictJson } from '../strict-json';
import type { TensorInputs } from '../tensors/tensor-forms';
import { rawTensors } from '../tensors/to-raw';
import type { BatchRequests } from './types';

interface Place {
  readonly objects: Objects;
  readonly signature: BatchSignature;
  readonly signal: AbortSignal;
}

/** Lines whose tensors S3 gets as objects of their own, at once. */
const LARGE_AT_ONCE = 16;

/** Parts of a multipart upload have at least 5 MiB. */
const PART_BYTES = 8 * 2 ** 20;

/**
 * Puts requests into a list, and returns its key. Of those whose tensors do not fit into a line, S3 gets objects.
 * @param key by default a new one
 * @throws InferenceError `InvalidInput` for a batch whose items are not JSON Lines, if there are no requests, and for the first one that
 * does not fit
 */
export async function putRequests(
  place: Place,
  requests: BatchRequests,
  key = `${place.signature.items.folder}${randomUUID()}.jsonl`,
): Promise<string> {
  const { objects, signal } = place;
  const { kind, bucket, location } = place.signature.items;
  const isOfPrefix = location.endsWith('/');
  if (kind !== 'jsonLines' || isOfPrefix) {
    const expected = 'a batch of one object of JSON Lines';
    const got = isOfPrefix ? `${kind} below ${location}` : kind;
    const message = `requests must go to ${expected}, got one of ${got}: set its items to BatchItems.jsonLines with a key, or put the items into S3 and leave requests out`;
    throw new InferenceError('InvalidInput', message, { expected, got });
  }
  await objects.putParts({ bucket, key }, partsOf(place, requests), signal);
  return key;
}

async function* partsOf(place: Place, requests: BatchRequests): AsyncGenerator<Buffer, void> {
  let lines: string[] = [];
  let [bytes, count] = [0, 0];
  for await (const line of linesOf(place, requests)) {
    lines.push(line);
    bytes += Buffer.byteLength(line);
    count++;
    if (bytes < PART_BYTES) continue;
    yield Buffer.from(lines.join(''));
    [lines, bytes] = [[], 0];
  }
  if (count === 0) throw invalid('requests', 'none', 'pass at least one');
  if (bytes > 0) yield Buffer.from(lines.join(''));
}

/** Makes several lines at a time. */
async function* linesOf(place: Place, requests: BatchRequests): AsyncGenerator<string, void> {
  const making: Promise<string>[] = [];
  let count = 0;
  try {
    for await (const request of requests) {
      const at = count++;
      const line = lineOf(place, request).catch((error: unknown) => {
        throw ofRequest(at, error);
      });
      // The loop throws its failure when it comes to the line.
      line.catch(() => undefined);
      making.push(line);
      if (making.length >= LARGE_AT_ONCE) yield (await making.shift()) ?? '';
    }
    for (const line of making.splice(0)) yield await line;
  } finally {
    await Promise.allSettled(making);
  }
}

/** Has read the request before it waits, because callers may use their arrays again. */
async function lineOf({ objects, signature, signal }: Place, given: unknown): Promise<string> {
  const [id, request] = Array.isArray(given) ? (given as unknown[]) : [undefined, given];
  if (id !== undefined && !isName(id)) {
    const advice = 'name the request, or leave the id out';
    throw invalid('ids that are texts or numbers', fieldValue(id), advice);
  }
  const named = id === undefined ? {} : { id: String(id) };
  if (signature.preprocess) return lineOfJson(request, named);
  const tensors = rawTensors(signature.inputs, request as TensorInputs);
  const most = MAX_LINE_BYTES - Buffer.byteLength(JSON.stringify({ ...named, inputs: '' }));
  const { inputs, upload } = prepareInputs(tensors, most, encodeShortest);
  if (upload !== undefined)
    await objects.put({ bucket: signature.bucket, key: upload.key }, upload.bytes, signal);
  return `${JSON.stringify({ ...named, inputs })}\n`;
}

function lineOfJson(request: unknown, named: { readonly id?: string }): string {
  if (!isRecord(request))
    throw invalid('JSON objects', kindOf(request), 'pass what the preprocess function expects');
  const refused = (got: string, advice: string) => invalid('JSON values', got, advice);
  const line = strictJson({ ...request, ...named }, refused) ?? '';
  const bytes = Buffer.byteLength(line);
  if (bytes <= MAX_PREPROCESSED_LINE_BYTES) return `${line}\n`;
  const expected = `at most ${MAX_PREPROCESSED_LINE_BYTES} bytes as JSON`;
  throw invalid(expected, String(bytes), 'put large parts into S3 and pass their key');
}

function invalid(expected: string, got: string, advice: string): InferenceError {
  const message = `a batch of requests must have ${expected}, got ${got}: ${advice}`;
  return new InferenceError('InvalidInput', message, { expected, got });
}

function ofRequest(place: number, error: unknown): unknown {
  if (!(error instanceof InferenceError)) return error;
  const { name, message, ...details } = error;
  return new InferenceError(name, `request ${place}: ${message}`, details);
}
