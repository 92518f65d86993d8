/** Reads a file once from start to end during its upload, and detects changes to the file. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Crc32 } from '../../lambda/store/crc32';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import type { UploadTask } from './upload-task';

const ADVICE = 'write it again and do not change it during the upload';

export class UploadSource {
  private readonly hash = createHash('sha256');
  private readonly crc32 = new Crc32();

  /** @throws SlicedInferenceError when the file cannot be read or does not have the task's size */
  static async open(task: UploadTask): Promise<UploadSource> {
    const handle = await openToRead(task.file);
    try {
      const { size, mtimeMs } = await handle.stat();
      if (size !== task.bytes) {
        throw new SlicedInferenceError(
          `file ${quoted(task.file)} must have ${task.bytes} bytes`,
          `${size} bytes`,
          ADVICE,
        );
      }
      return new UploadSource(task, handle, mtimeMs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(
    private readonly task: UploadTask,
    private readonly handle: FileHandle,
    private readonly mtimeMs: number,
  ) {}

  /** Fills `target` with the bytes from `position` on. `position` must be the number of bytes read so far. */
  async readNext(target: Buffer, position: number): Promise<void> {
    for (let done = 0; done < target.length;) {
      const { bytesRead } = await this.handle.read(target, done, target.length - done, position + done);
      if (bytesRead === 0) throw this.changed();
      done += bytesRead;
    }
    const { size, mtimeMs } = await this.handle.stat();
    if (size !== this.task.bytes || mtimeMs !== this.mtimeMs) throw this.changed();
    this.hash.update(target);
    this.crc32.update(target);
  }

  /**
   * CRC32 of all bytes read, in base64. Call it once, after the whole file has been read.
   * @throws SlicedInferenceError when the bytes do not have the task's SHA-256
   */
  checkedCrc32(): string {
    const sha256 = this.hash.digest('hex');
    if (sha256 !== this.task.sha256) {
      throw new SlicedInferenceError(
        `file ${quoted(this.task.file)} must have the SHA-256 ${this.task.sha256}`,
        sha256,
        ADVICE,
      );
    }
    return this.crc32.base64();
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private changed(): SlicedInferenceError {
    const what = `file ${quoted(this.task.file)} must not change during the upload`;
    return new SlicedInferenceError(what, 'another size or modification time', ADVICE);
  }
}

async function openToRead(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw new SlicedInferenceError(`file ${quoted(file)} must be readable`, systemReason(error), ADVICE);
  }
}
