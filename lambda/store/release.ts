/** Gives back at once the memory of bytes that a stream brought and that are done with. */
import { isArrayBuffer } from 'node:util/types';
import { MessageChannel } from 'node:worker_threads';

/** An array buffer of Node.js 21 or newer: its bytes can be moved into a new one of another length. */
interface Movable {
  transfer(byteLength: number): ArrayBuffer;
}

/**
 * The chunk's memory lies outside of JavaScript's heap. Left to the garbage collector, tens of MB of chunks are waiting
 * for it at any time, and it searches the whole heap after every few MB. A chunk that is a part of something larger is
 * left alone.
 * @param chunk that nobody reads any more; it is empty afterwards, and may be released again
 */
export function release(chunk: Uint8Array): void {
  const memory = chunk.buffer;
  const isWhole = chunk.byteLength > 0 && chunk.byteLength === memory.byteLength;
  if (isWhole && isArrayBuffer(memory)) detach(memory);
}

const detach: (memory: ArrayBuffer) => void =
  'transfer' in ArrayBuffer.prototype
    ? (memory) => {
        (memory as unknown as Movable).transfer(0);
      }
    : sendingToNobody();

/** What is sent to a port that is closed is freed. */
function sendingToNobody(): (memory: ArrayBuffer) => void {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return (memory) => {
    port1.postMessage(undefined, [memory]);
  };
}
