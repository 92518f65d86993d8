/** Sends the body of an answer, whose head is written: through the function's simulated network, and damaged if a fault strikes. */
import type * as http from 'node:http';
import type { Traffic } from '../simulation/traffic';
import type { S3Request } from './request';

/** Bytes that pass a function's simulated network at a time: few enough for its connections to take turns. */
const PIECE_BYTES = 128 * 1024;

export async function sendText(
  response: http.ServerResponse,
  text: string | undefined,
  request: S3Request | undefined,
): Promise<void> {
  const chunks = text === undefined ? [] : [Buffer.from(text)];
  const size = Buffer.byteLength(text ?? '');
  await sendBody(response, request?.alterAnswer?.(chunks, size) ?? chunks);
}

/** The chunks may share a buffer: each is sent before the next one is asked for. */
export async function sendBody(
  response: http.ServerResponse,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  traffic?: Traffic,
): Promise<void> {
  for await (const chunk of chunks) {
    const pieceBytes = traffic === undefined ? chunk.byteLength : PIECE_BYTES;
    for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      if (response.socket) await traffic?.pass(piece.byteLength, response.socket, 'download');
      await written(response, piece);
    }
  }
  response.end();
}

/** Resolves when the system has taken the bytes. Node.js never calls the callback of a write to a client that has gone. */
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
