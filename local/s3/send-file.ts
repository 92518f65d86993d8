/** Sends a range of an object's file through one buffer, so that large objects leave no garbage in memory. */
import * as fs from 'node:fs';
import type * as http from 'node:http';
import { promisify } from 'node:util';
import { release } from '../../lambda/store/release';
import type { Traffic } from '../simulation/traffic';

/** Bytes per read. Each read costs a switch between threads. */
const READ_BYTES = 1024 * 1024;

/** Bytes that pass a function's simulated network at a time: few enough for its connections to take turns. */
const PIECE_BYTES = 128 * 1024;

/**
 * Bytes of the end of a file that are sent alone, after the system has taken all others. When they arrive, the client may send its next
 * request, and Node.js breaks a connection whose next request arrives while more than its buffer of 16 KiB waits to be sent: `Parse
 * Error: Paused`.
 */
const TAIL_BYTES = 1024;

const readFile = promisify(fs.read);

interface FileRange {
  /** First and last byte, both inclusive. `last` is before `first` if the object is empty. */
  readonly first: number;
  readonly last: number;
}

/** @param descriptor of the open file; `sendFile` closes it */
export async function sendFile(
  descriptor: number,
  { first, last }: FileRange,
  response: http.ServerResponse,
  traffic?: Traffic,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, last - first + 1));
  try {
    for (let position = first; position <= last;) {
      const wanted = Math.min(buffer.byteLength, last - position + 1);
      const { bytesRead } = await readFile(descriptor, buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error('the file of an object is shorter than when it was stored');
      position += bytesRead;
      const isEnd = position > last;
      const tailAt = isEnd ? Math.max(0, bytesRead - TAIL_BYTES) : bytesRead;
      if (tailAt > 0) await send(buffer.subarray(0, tailAt), response, traffic);
      if (isEnd) await send(buffer.subarray(tailAt, bytesRead), response, traffic);
    }
    // Do not release the buffer after a failed write: the system may still use it.
    release(buffer);
    response.end();
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Resolves when the system has taken the bytes, so that the buffer is free. */
async function send(bytes: Buffer, response: http.ServerResponse, traffic?: Traffic): Promise<void> {
  if (traffic === undefined) {
    await written(response, bytes);
    return;
  }
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    if (response.socket) await traffic.pass(piece.byteLength, response.socket, 'download');
    await written(response, piece);
  }
}

/** Node.js never calls the callback of a write to a client that has gone. */
function written(response: http.ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => {
      reject(new Error('the client closed the connection before the end of the response'));
    };
    if (response.destroyed) {
      onClose();
      return;
    }
    response.once('close', onClose);
    response.write(piece, (error) => {
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
