/** Sends a range of an object's file through one buffer: large objects to many functions leave no garbage behind. */
import * as fs from 'node:fs';
import type * as http from 'node:http';
import { promisify } from 'node:util';
import type { Traffic } from '../simulation/traffic';

/** Small enough for connections to take turns. */
const PIECE_BYTES = 128 * 1024;

const readFile = promisify(fs.read);

export interface FileRange {
  /** First and last byte, both inclusive; `last` is before `first` where there is nothing. */
  readonly first: number;
  readonly last: number;
}

/** @param descriptor of the open file; closed here */
export async function sendFile(
  descriptor: number,
  { first, last }: FileRange,
  response: http.ServerResponse,
  traffic?: Traffic,
): Promise<void> {
  try {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, last - first + 1));
    for (let position = first; position <= last;) {
      const wanted = Math.min(piece.byteLength, last - position + 1);
      const { bytesRead } = await readFile(descriptor, piece, 0, wanted, position);
      if (bytesRead === 0) throw new Error('an object is shorter than it was when it was stored');
      position += bytesRead;
      if (response.socket) await traffic?.pass(bytesRead, response.socket, 'download');
      await written(response, piece.subarray(0, bytesRead));
    }
    response.end();
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The piece is the system's then, and the buffer free. */
function written(response: http.ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
