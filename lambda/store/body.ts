/** The bodies of responses, for as long as bytes arrive, and those whose bytes go around Node.js's HTTP parser. */
import { finished, Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { STALL_MS } from './limits';
import { type Sink, LONGEST_PIECE_BYTES, type DirectTransfer } from './direct-transfer';

export const ENDED_EARLY = 'the response ended early';

/** Destroys a body that stalls, or that lasts longer than its request may take. */
export class BodyWatch {
  private readonly deadline: NodeJS.Timeout;
  private stall: NodeJS.Timeout;

  constructor(
    private readonly body: Readable,
    endsAt: number,
  ) {
    this.deadline = this.stopAfter(endsAt - performance.now(), 'slower than any network of Lambda');
    this.stall = this.stallTimer();
    if (body instanceof DirectBody) {
      body.onArrival(() => {
        this.arrived();
      });
    }
  }

  /** Bytes have arrived. Changes nothing while the reader is busy: a timer that was cleared stays so. */
  arrived(): void {
    this.stall.refresh();
  }

  pause(): void {
    clearTimeout(this.stall);
  }

  resume(): void {
    if (!this.body.destroyed) this.stall = this.stallTimer();
  }

  end(): void {
    clearTimeout(this.stall);
    clearTimeout(this.deadline);
  }

  private stallTimer(): NodeJS.Timeout {
    return this.stopAfter(STALL_MS, `no data for ${STALL_MS / 1000} seconds`);
  }

  private stopAfter(milliseconds: number, problem: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.body.destroy(new Error(problem));
    }, milliseconds);
  }
}

/**
 * Passes the chunks of a body to `sink` as they arrive. An iterator would cost several promises for each chunk, and join
 * chunks that wait into a new buffer.
 * @param endsAt when to give up, by `performance.now()`
 * @returns why the body has ended, which is an early end unless `sink` has all bytes
 * @throws the error of `sink`
 */
export function pour(body: Readable, sink: Sink, endsAt: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const watch = new BodyWatch(body, endsAt);
    let busy = Promise.resolve();
    const fail = (error: unknown): void => {
      body.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const take: Sink = (chunk) => {
      try {
        const sunk = sink(chunk);
        if (sunk === undefined) return undefined;
        watch.pause();
        busy = sunk.then(() => {
          watch.resume();
        });
        busy.catch(fail);
        return busy;
      } catch (error) {
        fail(error);
        return undefined;
      }
    };
    finished(body, (error) => {
      watch.end();
      busy.then(() => {
        resolve(error ?? ENDED_EARLY);
      }, fail);
    });
    if (body instanceof DirectBody) {
      body.pourInto(take);
      return;
    }
    body.on('data', (chunk: Uint8Array) => {
      watch.arrived();
      const taken = take(chunk);
      if (taken === undefined) return;
      body.pause();
      taken.then(() => body.resume(), fail);
    });
  });
}

/**
 * A stream loses what it has not handed on when the connection breaks, so its pieces are as short as the reads of Node.js, of
 * which each may lose as much.
 */
const STREAM_PIECE_BYTES = 64 * 1024;

export class DirectBody extends Readable {
  private hasReader = false;
  private isComplete = false;
  private goOn: (() => void) | undefined;
  private arrived: () => void = () => undefined;

  constructor(
    private readonly response: IncomingMessage,
    private readonly transfer: DirectTransfer,
  ) {
    super();
    // The parser sees the head and a last byte only.
    response.resume();
    const { socket } = response;
    let problem: Error | undefined;
    response.on('error', (error) => (problem = error));
    response.once('close', () => {
      // The response itself says only that it was aborted.
      if (!this.isComplete) this.destroy(socket.errored ?? problem ?? new Error('aborted'));
    });
  }

  /** Tells `arrived` whenever bytes arrive, long before they make a piece on a slow connection. */
  onArrival(arrived: () => void): void {
    this.arrived = arrived;
  }

  /** Passes the bytes to `sink` in the memory into which they were read. */
  pourInto(sink: Sink): void {
    this.passTo(sink, LONGEST_PIECE_BYTES);
    // Nobody else reads the end.
    this.resume();
  }

  override _read(): void {
    this.goOn?.();
    this.goOn = undefined;
    if (this.hasReader) return;
    const queue: Sink = (chunk) =>
      this.push(Buffer.from(chunk)) ? undefined : new Promise((resolve) => (this.goOn = resolve));
    this.passTo(queue, STREAM_PIECE_BYTES);
  }

  private passTo(sink: Sink, pieceBytes: number): void {
    this.hasReader = true;
    const arrived = (): void => {
      this.arrived();
    };
    const ended = (): void => {
      this.isComplete = true;
      this.push(null);
    };
    this.transfer.passTo({ sink, pieceBytes, arrived, ended });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.isComplete) {
      // Before anybody learns of the end, so that the reader counts these bytes before it requests the rest.
      this.transfer.abandon();
      this.response.destroy();
    }
    callback(error);
  }
}
