/** Reads ranges of an object: resumes after broken connections, and splits long ranges into parallel parts. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { type ByteRange, partsOf } from '../../contract/object-reads';
import { messageOf, NamedFailure } from '../errors';
import { BodyWatch, ENDED_EARLY, pour } from './body';
import type { Sink } from './direct-transfer';
import { wholeRequestMs } from './limits';
import type { ObjectStore } from './object-store';
import { release } from './release';

/** For parts of `PART_BYTES`. */
export const CONNECTIONS = 6;

const MAX_FRUITLESS_CONNECTIONS = 4;

/** @param known the version that the object must have */
export async function openObject(
  objects: ObjectStore,
  object: ObjectReference,
  bytes: number,
  known?: string,
) {
  const { size, version, body } = await objects.get(object, { start: 0, end: bytes }, known);
  const range = { start: 0, end: Math.min(bytes, size) };
  // Nobody reads the body of an empty object.
  if (range.end === 0) body.destroy();
  return {
    size,
    version,
    start: new RangeRead(objects, object, range, version, body),
    startBytes: range.end,
  };
}

/**
 * Reads the bytes of a range in order, each once. If the connection breaks, it requests the rest again. The version
 * ensures that the object is still the same. Use one of its methods, once.
 */
export class RangeRead {
  private position: number;
  private endsAt = Infinity;
  private fruitless = 0;
  private positionBefore: number;

  constructor(
    private readonly objects: ObjectStore,
    private readonly object: ObjectReference,
    private readonly range: ByteRange,
    private readonly version: string,
    private firstBody?: Readable,
  ) {
    this.position = range.start;
    this.positionBefore = range.start;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void> {
    let problem: unknown;
    for (let body = await this.first(); body !== undefined; body = await this.next(problem)) {
      problem = ENDED_EARLY;
      const watch = new BodyWatch(body, this.endsAt);
      try {
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          watch.pause();
          this.count(chunk);
          yield chunk;
          watch.resume();
        }
      } catch (error) {
        problem = error;
      } finally {
        watch.end();
      }
    }
  }

  /** Passes the chunks to `sink` as they arrive, which costs less. */
  async pourInto(sink: Sink): Promise<void> {
    const counted: Sink = (chunk) => {
      this.count(chunk);
      return sink(chunk);
    };
    for (let body = await this.first(); body !== undefined;) {
      body = await this.next(await pour(body, counted, this.endsAt));
    }
  }

  private async first(): Promise<Readable | undefined> {
    if (this.range.start === this.range.end) return undefined;
    const body = this.firstBody ?? (await this.request());
    this.endsAt = performance.now() + wholeRequestMs(this.range.end - this.range.start);
    return body;
  }

  private async next(problem: unknown): Promise<Readable | undefined> {
    const { position, positionBefore, range } = this;
    if (position === range.end) return undefined;
    this.fruitless = position > positionBefore ? 0 : this.fruitless + 1;
    this.positionBefore = position;
    const isLate = performance.now() >= this.endsAt;
    if (problem instanceof NamedFailure) throw problem;
    if (isLate || this.fruitless === MAX_FRUITLESS_CONNECTIONS) throw this.unavailable(problem);
    return this.request();
  }

  /** Refuses bytes after the range before anybody writes them somewhere. */
  private count({ byteLength }: Uint8Array): void {
    this.position += byteLength;
    if (this.position > this.range.end) throw this.unavailable('S3 sent more bytes than were requested');
  }

  private async request(): Promise<Readable> {
    const rest = { start: this.position, end: this.range.end };
    return (await this.objects.get(this.object, rest, this.version)).body;
  }

  private unavailable(problem: unknown): NamedFailure {
    const { bucket, key } = this.object;
    return new NamedFailure(ERROR_NAMES.storageUnavailable, {
      message: `reading s3://${bucket}/${key} failed at byte ${this.position}: ${messageOf(problem)}: start the execution again`,
    });
  }
}

export async function readRangeInto(
  objects: ObjectStore,
  object: ObjectReference,
  range: ByteRange,
  version: string,
  target: Uint8Array,
): Promise<void> {
  await inParallel(partsOf(range), CONNECTIONS, async (part) => {
    const read = new RangeRead(objects, object, part, version);
    await collectInto(target, part.start - range.start, read);
  });
}

export async function collectInto(target: Uint8Array, position: number, read: RangeRead): Promise<void> {
  await read.pourInto((chunk) => {
    target.set(chunk, position);
    position += chunk.byteLength;
    release(chunk);
    return undefined;
  });
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

/**
 * Like `Promise.all`, but rejects only after all promises have settled. Lambda freezes work that a call leaves running,
 * and that work would interfere with the next attempt.
 */
export async function allDone<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
