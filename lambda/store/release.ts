/** Gives back at once the memory of bytes that a stream brought and that are done with. */
import { MessageChannel } from 'node:worker_threads';
import { isArrayBuffer } from 'node:util/types';

/** What Node.js 20 does not have yet: moves an array buffer's bytes into a new one of another length. */
interface Transferable {
  transfer(byteLength: number): ArrayBuffer;
}

/**
 * Such memory lies outside of the heap of JavaScript. Left to the garbage collector, tens of MB are waiting for it at any
 * time, and it goes through the whole heap every few MB. A chunk that is a part of something larger is left alone.
 * @param chunk that nobody reads any more; it is empty afterwards
 */
export function release(chunk: Uint8Array): void {
  const memory = chunk.buffer;
  if (isArrayBuffer(memory) && chunk.byteLength === memory.byteLength) detach(memory);
}

const detach: (memory: ArrayBuffer) => void =
  'transfer' in ArrayBuffer.prototype
    ? (memory) => {
        (memory as unknown as Transferable).transfer(0);
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
