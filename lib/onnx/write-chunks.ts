/** Streams chunks to a file with a fixed amount of memory. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { fingerprint } from '../cache/fingerprint';
import { SlicedInferenceError, quoted } from '../errors';
import type { Chunk, SourceFile, StridedRange } from './model';
import { ByteSource, WireError } from './wire';

/** Bytes copied at a time: large enough for the disk's speed, small enough to stay in the processor's cache. */
const COPY_BYTES = 1024 * 1024;

/** Writes the chunks to the new file `target`. @returns their SHA-256 in hexadecimal */
export function writeChunks(files: readonly SourceFile[], chunks: readonly Chunk[], target: string): string {
  const hash = createHash('sha256');
  const descriptor = fs.openSync(target, 'wx');
  try {
    stream(files, chunks, (bytes) => {
      hash.update(bytes);
      for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done);
    });
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest('hex');
}

function stream(
  files: readonly SourceFile[],
  chunks: readonly Chunk[],
  sink: (bytes: Uint8Array) => void,
): void {
  // One open file at a time, because a model may have more weight files than a process may open.
  let source: ByteSource | undefined;
  let opened: number | undefined;
  const used = new Set<number>();
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  try {
    for (const chunk of chunks) {
      if (chunk instanceof Uint8Array) {
        sink(chunk);
        continue;
      }
      if (source === undefined || opened !== chunk.file) {
        source?.close();
        source = undefined;
        source = openUnchanged(files[chunk.file]);
        opened = chunk.file;
        used.add(opened);
      }
      const write = chunk.flipsSign
        ? (bytes: Uint8Array) => {
            sink(flipSigns(bytes));
          }
        : sink;
      if ('runBytes' in chunk) streamRuns(source, chunk, write);
      else
        for (let done = 0; done < chunk.length; done += COPY_BYTES) {
          const part = buffer.subarray(0, Math.min(COPY_BYTES, chunk.length - done));
          source.read(chunk.offset + done, part);
          write(part);
        }
    }
    for (const file of used) checkUnchanged(files[file]);
  } catch (error) {
    // A read past the end means that a file became shorter.
    for (const file of error instanceof WireError ? used : []) checkUnchanged(files[file]);
    throw error;
  } finally {
    source?.close();
  }
}

const SIGN = 0x80;
const SIGNS = 0x80808080;

/** Flips the highest bit of each byte in place. @returns the bytes */
export function flipSigns(bytes: Uint8Array): Uint8Array {
  const head = Math.min(bytes.length, -bytes.byteOffset & 3);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >> 2);
  for (let index = 0; index < words.length; index++) words[index] ^= SIGNS;
  const tail = head + words.byteLength;
  for (let index = 0; index < head; index++) bytes[index] ^= SIGN;
  for (let index = tail; index < bytes.length; index++) bytes[index] ^= SIGN;
  return bytes;
}

/** Longer runs are read one by one: a system call costs about as much as copying so many bytes that nobody needs. */
const SINGLE_RUN_BYTES = 16 * 1024;

/** Reads the runs as they follow one another, or short ones together with what lies between them. */
function streamRuns(
  source: ByteSource,
  { offset, length, runBytes, stepBytes }: StridedRange,
  sink: (bytes: Uint8Array) => void,
): void {
  const isSingle = runBytes >= SINGLE_RUN_BYTES || stepBytes > COPY_BYTES;
  const perRead = isSingle ? 1 : Math.floor(COPY_BYTES / stepBytes);
  const window = Buffer.allocUnsafe(isSingle ? Math.min(runBytes, COPY_BYTES) : perRead * stepBytes);
  const packed = Buffer.allocUnsafe(isSingle ? 0 : perRead * runBytes);
  const runs = length / runBytes;
  for (let run = 0; run < runs; run += perRead) {
    const start = offset + run * stepBytes;
    if (isSingle) {
      for (let done = 0; done < runBytes; done += COPY_BYTES) {
        const part = window.subarray(0, Math.min(COPY_BYTES, runBytes - done));
        source.read(start + done, part);
        sink(part);
      }
      continue;
    }
    const count = Math.min(perRead, runs - run);
    source.read(start, window.subarray(0, (count - 1) * stepBytes + runBytes));
    for (let index = 0; index < count; index++) {
      const from = index * stepBytes;
      window.copy(packed, index * runBytes, from, from + runBytes);
    }
    sink(packed.subarray(0, count * runBytes));
  }
}

function openUnchanged(file: SourceFile): ByteSource {
  checkUnchanged(file);
  return new ByteSource(file.path);
}

function checkUnchanged(file: SourceFile): void {
  const print = fs.existsSync(file.path) ? fingerprint(file.path) : 'no file';
  if (print === file.fingerprint) return;
  throw new SlicedInferenceError(
    `${quoted(file.path)} must not change while it is sliced`,
    'a file that changed after it was read',
    'slice it again when no program writes to it',
  );
}
