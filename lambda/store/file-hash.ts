/** Hashes a file with SHA-256 in the order of its bytes, while later parts of it still arrive. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type ByteRange, partsOf } from '../../contract/object-reads';

const CHUNK_BYTES = 1024 * 1024;

export class FileHash {
  private readonly file: number;
  private readonly hash = createHash('sha256');
  private readonly chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  constructor(path: string) {
    this.file = openSync(path, 'r');
  }

  /** @param part is in the file already, so the page cache still has it */
  add(part: ByteRange): void {
    const { file, hash, chunk } = this;
    for (let position = part.start; position < part.end;) {
      const bytesRead = readSync(file, chunk, 0, Math.min(CHUNK_BYTES, part.end - position), position);
      if (bytesRead === 0)
        throw new Error('a downloaded file became shorter while it was hashed: start the execution again');
      hash.update(chunk.subarray(0, bytesRead));
      position += bytesRead;
    }
  }

  /** Hexadecimal. */
  digest(): string {
    return this.hash.digest('hex');
  }

  close(): void {
    closeSync(this.file);
  }
}

export interface Hashing {
  add(part: ByteRange): Promise<void>;
  /** Hexadecimal. Call it once, after all parts. */
  digest(): Promise<string>;
  close(): Promise<unknown>;
}

/** Between two chunks, this thread receives bytes of the later parts. */
export function hashHere(path: string): Hashing {
  const hash = new FileHash(path);
  let isClosed = false;
  return {
    add: async (part) => {
      for (const chunk of partsOf(part, CHUNK_BYTES)) {
        // A download that failed closes the file between two chunks, and another file may get its descriptor.
        if (isClosed) return;
        hash.add(chunk);
        await setImmediate();
      }
    },
    digest: () => Promise.resolve(hash.digest()),
    close: () => {
      isClosed = true;
      hash.close();
      return Promise.resolve();
    },
  };
}

/** Hashing is a quarter of the processor time of a download (`npm run bench:load`). A second processor can take it over. */
export function hashInThread(path: string): Hashing {
  const thread = new Worker(join(__dirname, 'hash-thread.js'), { workerData: path });
  const digest = new Promise<string>((resolve, reject) => {
    thread.once('message', resolve).once('error', reject);
  });
  // `digest` reports a failure; mark it as handled until then.
  digest.catch(() => undefined);
  const send = (part?: ByteRange): void => {
    thread.postMessage(part);
  };
  return {
    add: (part) => {
      send(part);
      return Promise.resolve();
    },
    digest: () => {
      send();
      return digest;
    },
    close: () => thread.terminate(),
  };
}
