/** Downloads a file of a slice in parallel parts, and gives it its final name once its digest is verified. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { NamedFailure } from '../errors';
import type { ObjectStore } from './object-store';
import { PART_BYTES, partsOf } from '../../contract/object-reads';
import { hashHere, type Hashing, hashInThread } from './file-hash';
import { CONNECTIONS, inParallel, openObject, RangeRead } from './ranged-read';
import { release } from './release';

/** Marks the names of this process's unfinished files. A process id would not do: an earlier process may have had it. */
const THIS_PROCESS = randomUUID();
let files = 0;

export function isAbandonedPart(name: string): boolean {
  return name.endsWith('.part') && !name.includes(THIS_PROCESS);
}

/** Hashing fewer parts takes less time than a thread takes to start. */
const PARTS_FOR_THREAD = 4;

/**
 * Downloads the object to `path`. The file appears there only when it is complete and verified: it is written beside
 * `path` and renamed, because truncating a file that ONNX Runtime has memory-mapped kills the process.
 * @param hasSpareProcessor whether a second thread makes it faster
 * @throws NamedFailure `WeightsCorrupt` if the SHA-256 is not the expected one
 */
export async function downloadVerified(
  objects: ObjectStore,
  object: ObjectReference,
  expectedSha256: string,
  path: string,
  hasSpareProcessor = false,
): Promise<void> {
  const partial = `${path}.${THIS_PROCESS}.${files++}.part`;
  try {
    const sha256 = await downloadHashed(objects, object, partial, hasSpareProcessor);
    if (sha256 !== expectedSha256) {
      throw new NamedFailure(ERROR_NAMES.weightsCorrupt, {
        message: `s3://${object.bucket}/${object.key} does not have the SHA-256 that the plan records: delete the object, then deploy or upload it again`,
        ...{ expected: expectedSha256, got: sha256 },
      });
    }
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

async function downloadHashed(
  objects: ObjectStore,
  object: ObjectReference,
  path: string,
  hasSpareProcessor: boolean,
): Promise<string> {
  const file = await open(path, 'wx');
  let hashing: Hashing | undefined;
  try {
    const first = await openObject(objects, object, PART_BYTES);
    const parts = partsOf({ start: 0, end: first.size });
    const hash = (hasSpareProcessor && parts.length >= PARTS_FOR_THREAD ? hashInThread : hashHere)(path);
    hashing = hash;
    let hashed = Promise.resolve();
    // Parts start in order, so each waits for the hash of those before it.
    await inParallel(parts, CONNECTIONS, (part, index) => {
      const read = index === 0 ? first.start : new RangeRead(objects, object, part, first.version);
      const written = writePart(file, read, part.start);
      hashed = Promise.all([hashed, written]).then(() => hash.add(part));
      // A failure is reported below; mark it as handled until then.
      hashed.catch(() => undefined);
      return written;
    });
    await hashed;
    return await hash.digest();
  } finally {
    await Promise.all([file.close(), hashing?.close()]);
  }
}

async function writePart(file: FileHandle, read: RangeRead, start: number): Promise<void> {
  let position = start;
  await read.pourInto(async (chunk) => {
    await writeFully(file, chunk, position);
    position += chunk.byteLength;
    release(chunk);
  });
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}
