/** Frees the memory of a stream's chunks without waiting for the garbage collector. */
import { isArrayBuffer } from 'node:util/types';
import { MessageChannel } from 'node:worker_threads';

/** An array buffer of Node.js 21 or newer: `transfer` moves its bytes into a new buffer of another length. */
interface TransferableBuffer {
  transfer(byteLength: number): ArrayBuffer;
}

/**
 * Frees the chunk's memory, which is outside the JavaScript heap. If the garbage collector had to free it, tens of MB of
 * chunks would wait at any time, and the collector would search the whole heap after every few MB. Does nothing if the
 * chunk is only a part of its buffer.
 * @param chunk a chunk that is not read any more; it is empty afterwards, and may be released again
 */
export function release(chunk: Uint8Array): void {
  const memory = chunk.buffer;
  const isWhole = chunk.byteLength > 0 && chunk.byteLength === memory.byteLength;
  if (isWhole && isArrayBuffer(memory)) detach(memory);
}

const detach: (memory: ArrayBuffer) => void =
  'transfer' in ArrayBuffer.prototype
    ? (memory) => {
        (memory as unknown as TransferableBuffer).transfer(0);
      }
    : sendToClosedPort();

/** For Node.js 20: an array buffer that is transferred to a closed port is freed. */
function sendToClosedPort(): (memory: ArrayBuffer) => void {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return (memory) => {
    port1.postMessage(undefined, [memory]);
  };
}
