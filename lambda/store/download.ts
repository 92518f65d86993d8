/** Downloads a file of a slice in parallel parts, and gives it its final name once its digest is verified. */
import { createHash, randomUUID, type Hash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { NamedFailure } from '../errors';
import type { ByteRange, ObjectStore } from './object-store';
import { CONNECTIONS, inParallel, openObject, PART_BYTES, partsOf, RangeRead } from './ranged-read';
import { release } from './release';

/** Marks the names of this process's unfinished files. A process id would not do: an earlier process may have had it. */
const THIS_PROCESS = randomUUID();
let files = 0;

/** Whether this is the name of a file that another process was killed before finishing. */
export function isAbandonedPart(name: string): boolean {
  return name.endsWith('.part') && !name.includes(THIS_PROCESS);
}

const HASH_CHUNK_BYTES = 1024 * 1024;

/** How a download is split among connections. */
export interface Parts {
  readonly partBytes: number;
  readonly connections: number;
}

const PARTS: Parts = { partBytes: PART_BYTES, connections: CONNECTIONS };

/**
 * Downloads the object to `path`. The file appears there only when it is complete and verified: it is written beside
 * `path` and renamed, because truncating a file that ONNX Runtime has memory-mapped kills the process.
 * @throws NamedFailure `WeightsCorrupt` if the SHA-256 is not the expected one
 */
export async function downloadVerified(
  objects: ObjectStore,
  object: ObjectReference,
  expectedSha256: string,
  path: string,
  parts = PARTS,
): Promise<void> {
  const partial = `${path}.${THIS_PROCESS}.${files++}.part`;
  try {
    const sha256 = await downloadHashed(objects, object, partial, parts);
    if (sha256 !== expectedSha256) throw corrupt(object, expectedSha256, sha256);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

async function downloadHashed(
  objects: ObjectStore,
  object: ObjectReference,
  path: string,
  { partBytes, connections }: Parts,
): Promise<string> {
  const file = await open(path, 'wx+');
  try {
    const hash = createHash('sha256');
    const first = await openObject(objects, object, partBytes);
    const parts = partsOf({ start: 0, end: first.size }, partBytes);
    const memory = Buffer.allocUnsafeSlow(Math.min(HASH_CHUNK_BYTES, first.size));
    const progress = new InOrder((part: ByteRange) => hashFile(hash, file, part, memory));
    await inParallel(parts, connections, async (part, index) => {
      const read = index === 0 ? first.start : new RangeRead(objects, object, part, first.version);
      let position = part.start;
      await read.pourInto(async (chunk) => {
        await writeFully(file, chunk, position);
        position += chunk.byteLength;
        release(chunk);
      });
      progress.done(index, part);
    });
    await progress.settled();
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

/** Adds a part of the file to the hash. The part was just written, so the page cache still has it. */
async function hashFile(hash: Hash, file: FileHandle, part: ByteRange, chunk: Uint8Array): Promise<void> {
  for (let position = part.start; position < part.end;) {
    const wanted = Math.min(chunk.byteLength, part.end - position);
    const { bytesRead } = await file.read(chunk, 0, wanted, position);
    if (bytesRead === 0)
      throw new Error('a downloaded file became shorter while it was hashed: start the execution again');
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** Runs `step` for each item in the order of the indexes, as soon as that item and all earlier ones are done. */
class InOrder<T> {
  private readonly waiting = new Map<number, T>();
  private next = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly step: (item: T) => Promise<void>) {}

  done(index: number, item: T): void {
    this.waiting.set(index, item);
    for (let ready = this.waiting.get(this.next); ready !== undefined; ready = this.waiting.get(this.next)) {
      const current = ready;
      this.waiting.delete(this.next++);
      this.last = this.last.then(() => this.step(current));
    }
    // `settled` reports a failure; mark it as handled until then.
    this.last.catch(() => undefined);
  }

  settled(): Promise<void> {
    return this.last;
  }
}

function corrupt(object: ObjectReference, expected: string, got: string): NamedFailure {
  return new NamedFailure(ERROR_NAMES.weightsCorrupt, {
    message: `s3://${object.bucket}/${object.key} does not have the SHA-256 that the plan records: deploy the stack again`,
    expected,
    got,
  });
}
