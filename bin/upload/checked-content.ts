/** Reads a file once for its upload, and fails at its end if its digest is another one: then nothing of it becomes an object. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';

/** A file whose key contains its digest, so that an object under the key never has to be written again. */
export interface UploadTask {
  readonly file: string;
  /** Key in the bucket; contains `sha256`. */
  readonly key: string;
  readonly bytes: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
}

const ADVICE = 'write it again and do not change it during the upload';

const MOST_CHUNK_BYTES = 64 * 1024;

/** A stream allocates so much for each read. Thousands of small files must not leave as many large buffers to collect. */
export function chunkBytes(fileBytes: number): number {
  return Math.max(1, Math.min(fileBytes, MOST_CHUNK_BYTES));
}

/** @throws SlicedInferenceError when the file cannot be read, or does not have the task's size and SHA-256 */
export async function* checkedContent({ file, bytes, sha256 }: UploadTask): AsyncGenerator<Buffer> {
  const unusable = (must: string, got: string): SlicedInferenceError =>
    new SlicedInferenceError(`file ${quoted(file)} must ${must}`, got, ADVICE);
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw unusable('be readable', systemReason(error));
  });
  try {
    const { size } = await handle.stat();
    if (size !== bytes) throw unusable(`have ${bytes} bytes`, `${size} bytes`);
    const hash = createHash('sha256');
    const options = { autoClose: false, highWaterMark: chunkBytes(size) };
    for await (const chunk of handle.createReadStream(options)) {
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
    const got = hash.digest('hex');
    if (got !== sha256) throw unusable(`have the SHA-256 ${sha256}`, got);
  } finally {
    await handle.close();
  }
}
