/** Reads the body of a response into memory of a known size. */
import type { Readable } from 'node:stream';
import { InferenceTimeoutError } from '../errors';

interface ReadLimits {
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which the connection counts as dead. */
  readonly ms: number;
}

/** The body ended early or has more bytes than its headers say. Reading again may help. */
export class BrokenBodyError extends Error {
  override readonly name = 'BrokenBodyError';
}

/** @throws BrokenBodyError, InferenceTimeoutError, or the signal's reason */
export async function readBody(body: Readable, length: number, limits: ReadLimits): Promise<Uint8Array> {
  const { signal, ms } = limits;
  const bytes = new Uint8Array(length);
  const stop = (): void => {
    body.destroy(signal.reason as Error);
  };
  const stalled = (): void => {
    const got = `got nothing after ${position} of ${length} bytes`;
    body.destroy(new InferenceTimeoutError(`S3 must send results within ${ms} ms, ${got}: try again`));
  };
  let position = 0;
  let timer = setTimeout(stalled, ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const part of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      if (part.byteLength > length - position) throw broken(length, position + part.byteLength);
      bytes.set(part, position);
      position += part.byteLength;
      timer = setTimeout(stalled, ms);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InferenceTimeoutError || error instanceof BrokenBodyError) throw error;
    throw new BrokenBodyError((error as Error).message, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
  if (position !== length) throw broken(length, position);
  return bytes;
}

function broken(length: number, got: number): BrokenBodyError {
  return new BrokenBodyError(`the object must have ${length} bytes, got ${got}: read it again`);
}
