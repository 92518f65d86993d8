/** Reads ranges of an object: resumes after broken connections, and splits long ranges into parallel parts. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { NamedFailure } from '../errors';
import { STALL_MS, wholeRequestMs } from './limits';
import type { ByteRange, ObjectStore } from './object-store';
import { release } from './release';

/** Parts of this size over this many connections reach nearly all of a function's bandwidth. */
export const PART_BYTES = 16 * 1024 * 1024;
export const CONNECTIONS = 6;

/** A read fails after this many connections in a row that broke without a byte. */
const MAX_FRUITLESS_CONNECTIONS = 4;

interface OpenedObject {
  readonly size: number;
  readonly version: string;
  /** The first bytes: as many as requested, or fewer if the object is shorter. */
  readonly start: AsyncGenerator<Uint8Array, void>;
  readonly startBytes: number;
}

/** Opens an object of unknown size by reading its first bytes. */
export async function openObject(
  objects: ObjectStore,
  object: ObjectReference,
  bytes: number,
): Promise<OpenedObject> {
  const first = await objects.get(object, { start: 0, end: bytes });
  const range = { start: 0, end: Math.min(bytes, first.size) };
  // Nobody reads the body of an empty object, and a generator that never ran does not close it.
  if (range.end === 0) first.body.destroy();
  const start = resumed(objects, object, range, first.version, first.body);
  return { size: first.size, version: first.version, start, startBytes: range.end };
}

/**
 * Yields the bytes of a range in order, each once. If the connection breaks, it requests the rest again. The version
 * ensures that the object is still the same.
 */
export async function* streamRange(
  objects: ObjectStore,
  object: ObjectReference,
  range: ByteRange,
  version: string,
): AsyncGenerator<Uint8Array> {
  if (range.start === range.end) return;
  const first = await objects.get(object, range, version);
  yield* resumed(objects, object, range, version, first.body);
}

async function* resumed(
  objects: ObjectStore,
  object: ObjectReference,
  range: ByteRange,
  version: string,
  firstBody: Readable,
): AsyncGenerator<Uint8Array, void> {
  let position = range.start;
  let body = firstBody;
  const endsAt = performance.now() + wholeRequestMs(range.end - range.start);
  for (let fruitless = 0; ;) {
    const before = position;
    let problem: unknown = 'the response ended early';
    const stop = stopAfter(body, endsAt - performance.now(), 'slower than any network of Lambda');
    let stall = stopAfter(body, STALL_MS, `no data for ${STALL_MS / 1000} seconds`);
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        clearTimeout(stall);
        position += chunk.byteLength;
        yield chunk;
        stall = stopAfter(body, STALL_MS, `no data for ${STALL_MS / 1000} seconds`);
      }
    } catch (error) {
      problem = error;
    } finally {
      clearTimeout(stall);
      clearTimeout(stop);
    }
    if (position === range.end) return;
    fruitless = position > before ? 0 : fruitless + 1;
    const isLate = performance.now() >= endsAt;
    if (isLate || fruitless === MAX_FRUITLESS_CONNECTIONS || position > range.end) {
      const reason = problem instanceof Error ? problem.message : String(problem);
      throw new NamedFailure(ERROR_NAMES.storageUnavailable, {
        message: `reading s3://${object.bucket}/${object.key} failed at byte ${position}: ${reason}: start the execution again`,
      });
    }
    body = (await objects.get(object, { start: position, end: range.end }, version)).body;
  }
}

/** Destroys the body after a time, unless the caller clears the returned timer before. */
function stopAfter(body: Readable, milliseconds: number, problem: string): NodeJS.Timeout {
  return setTimeout(() => {
    body.destroy(new Error(problem));
  }, milliseconds);
}

/** Reads a range into a buffer of the same size, in parallel parts if the range is long. */
export async function readRangeInto(
  objects: ObjectStore,
  object: ObjectReference,
  range: ByteRange,
  version: string,
  target: Uint8Array,
): Promise<void> {
  await inParallel(partsOf(range), CONNECTIONS, async (part) => {
    await collectInto(target, part.start - range.start, streamRange(objects, object, part, version));
  });
}

/** Copies the chunks into `target` from `position` on, and frees them. */
export async function collectInto(
  target: Uint8Array,
  position: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of chunks) {
    target.set(chunk, position);
    position += chunk.byteLength;
    release(chunk);
  }
}

export function partsOf(range: ByteRange, partBytes = PART_BYTES): ByteRange[] {
  const parts: ByteRange[] = [];
  for (let start = range.start; start < range.end; start += partBytes) {
    parts.push({ start, end: Math.min(start + partBytes, range.end) });
  }
  return parts;
}

/** Runs `work` on every item, at most `limit` at a time, started in order. Starts no more items after a failure. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      await work(items[index], index);
    }
  };
  const stopAll = (error: unknown): never => {
    next = items.length;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, () => worker().catch(stopAll)));
}
