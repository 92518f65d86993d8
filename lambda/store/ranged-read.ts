/** Reading ranges of an object: connections that break are resumed, long ranges go in parallel parts. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import type { ByteRange, ObjectStore } from './object-store';
import { release } from './release';

/** Parts of this size over this many connections reach nearly all of a function's bandwidth. */
export const PART_BYTES = 16 * 1024 * 1024;
export const CONNECTIONS = 6;

/** A connection that says nothing for so long is taken for dead: Lambda freezes processes, and connections with them. */
export const IDLE_MS = 10_000;

/** Connections in a row that may break without a byte before a read is given up. */
const MAX_FRUITLESS_CONNECTIONS = 4;

interface OpenedObject {
  readonly size: number;
  readonly version: string;
  /** The first bytes: as many as asked for or as the object has. */
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
  const start = resumed(objects, object, range, first.version, first.body);
  return { size: first.size, version: first.version, start, startBytes: range.end };
}

/**
 * The bytes of a range in order and each once. When the body breaks off, the rest is asked for again; that the
 * object is still the same is checked by its version.
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
  for (let fruitless = 0; ;) {
    const before = position;
    let problem: unknown = 'it ended early';
    let idle = stopWhenIdle(body);
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        clearTimeout(idle);
        position += chunk.byteLength;
        yield chunk;
        idle = stopWhenIdle(body);
      }
    } catch (error) {
      problem = error;
    } finally {
      clearTimeout(idle);
    }
    if (position === range.end) return;
    fruitless = position > before ? 0 : fruitless + 1;
    if (fruitless === MAX_FRUITLESS_CONNECTIONS || position > range.end) {
      const reason = problem instanceof Error ? problem.message : String(problem);
      throw new Error(`reading s3://${object.bucket}/${object.key} broke off at byte ${position}: ${reason}`);
    }
    body = (await objects.get(object, { start: position, end: range.end }, version)).body;
  }
}

/** Breaks a body off, unless it is told in time that something came. */
function stopWhenIdle(body: Readable): NodeJS.Timeout {
  return setTimeout(() => {
    body.destroy(new Error(`nothing came for ${IDLE_MS / 1000} seconds`));
  }, IDLE_MS);
}

/** Reads a range into a buffer of its size, in parallel parts when long. */
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

/** Writes the chunks one after the other from `position` on. */
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

/** Runs `work` on every item, in order of start, at most `limit` at a time; the first failure stops the rest. */
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
