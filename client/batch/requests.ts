/** Requests of a batch as one object of JSON Lines: an upload for each would cost more than their computing. */
import { randomUUID } from 'node:crypto';
import { MAX_LINE_BYTES, MAX_PREPROCESSED_LINE_BYTES, type BatchSignature } from '../../contract/batch';
import type { ExecutionInput } from '../../contract/execution';
import { fieldValue, isRecord, kindOf } from '../../lambda/json-values';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { Objects } from '../aws/objects';
import { InferenceError } from '../errors';
import { prepareRequest } from '../request';
import { strictJson } from '../strict-json';
import type { TensorInputs } from '../tensors/tensor-forms';
import { rawTensors } from '../tensors/to-raw';
import type { BatchRequests } from './types';

/** A request as a line has it. */
export interface LineRequest {
  readonly id?: string;
  /** The tensors, or the JSON that a preprocess function gets. */
  readonly content: ReadonlyMap<string, RawTensor> | Readonly<Record<string, unknown>>;
}

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
 * The key of a new list of requests.
 * @throws InferenceError `InvalidInput` for a batch whose items are not JSON Lines
 */
export function listOfRequests({ items: { kind, folder } }: BatchSignature): string {
  if (kind === 'jsonLines') return `${folder}${randomUUID()}.jsonl`;
  const expected = 'a batch of JSON Lines';
  const message = `requests must go to ${expected}, got one of ${kind}: set its items to BatchItems.jsonLines, or put the items into S3 and leave requests out`;
  throw new InferenceError('InvalidInput', message, { expected, got: kind });
}

/**
 * Puts requests into the list. Of those whose tensors do not fit into a line, S3 gets objects.
 * @throws InferenceError `InvalidInput` that names the place of a request that does not fit, or if there are none
 */
export async function putRequests(
  place: Place,
  key: string,
  requests: AsyncIterable<LineRequest>,
): Promise<void> {
  const { objects, signature, signal } = place;
  await objects.putParts({ bucket: signature.items.bucket, key }, partsOf(place, requests), signal);
}

/** Checks what the caller gave. */
export async function* lineRequests(
  { inputs, preprocess }: BatchSignature,
  requests: BatchRequests,
): AsyncGenerator<LineRequest, void> {
  let place = 0;
  for await (const given of requests) {
    const [id, request] = Array.isArray(given) ? (given as unknown[]) : [undefined, given];
    let content: LineRequest['content'];
    try {
      content = preprocess ? record(request) : rawTensors(inputs, request as TensorInputs);
      if (id !== undefined && (typeof id !== 'string' || id === ''))
        throw invalid('ids that are texts', fieldValue(id), 'name the request, or leave the id out');
    } catch (error) {
      throw at(place, error);
    }
    yield { ...(typeof id === 'string' && { id }), content };
    place++;
  }
}

function record(request: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(request)) return request;
  throw invalid('JSON objects', kindOf(request), 'pass what the preprocess function expects');
}

async function* partsOf(place: Place, requests: AsyncIterable<LineRequest>): AsyncGenerator<Buffer, void> {
  let lines: string[] = [];
  let [bytes, count] = [0, 0];
  for await (const line of inOrder(requests, (request) => lineOf(place, request))) {
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
async function* inOrder(
  requests: AsyncIterable<LineRequest>,
  make: (request: LineRequest) => Promise<string>,
): AsyncGenerator<string, void> {
  const making: Promise<string>[] = [];
  let place = 0;
  try {
    for await (const request of requests) {
      const of = place++;
      const line = make(request).catch((error: unknown) => {
        throw at(of, error);
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

async function lineOf({ objects, signature, signal }: Place, { id, content }: LineRequest): Promise<string> {
  const named = id === undefined ? {} : { id };
  if (!isTensors(content)) {
    const line =
      strictJson({ ...content, ...named }, (got, advice) => invalid('JSON values', got, advice)) ?? '';
    const bytes = Buffer.byteLength(line);
    if (bytes <= MAX_PREPROCESSED_LINE_BYTES) return `${line}\n`;
    const expected = `at most ${MAX_PREPROCESSED_LINE_BYTES} bytes as JSON`;
    throw invalid(expected, String(bytes), 'put large parts into S3 and pass their key');
  }
  const most = MAX_LINE_BYTES - Buffer.byteLength(JSON.stringify(named));
  const { text, upload } = prepareRequest(content, 'never', 'auto', most);
  if (upload !== undefined)
    await objects.put({ bucket: signature.bucket, key: upload.key }, upload.bytes, signal);
  const { inputs } = JSON.parse(text) as ExecutionInput;
  return `${JSON.stringify({ ...named, inputs })}\n`;
}

function isTensors(content: LineRequest['content']): content is ReadonlyMap<string, RawTensor> {
  return content instanceof Map;
}

function invalid(expected: string, got: string, advice: string): InferenceError {
  const message = `a batch of requests must have ${expected}, got ${got}: ${advice}`;
  return new InferenceError('InvalidInput', message, { expected, got });
}

function at(place: number, error: unknown): unknown {
  if (!(error instanceof InferenceError)) return error;
  const { name, message, ...details } = error;
  return new InferenceError(name, `request ${place}: ${message}`, details);
}
