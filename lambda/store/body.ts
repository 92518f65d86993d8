/** Receives the body of a response, for as long as bytes arrive. */
import { finished, type Readable } from 'node:stream';
import { DirectBody } from './direct-body';
import { STALL_MS } from './limits';
import type { Sink } from './direct-transfer';

/** Why a body ended before its last byte. */
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

  /** The reader is busy, so no chunk can arrive. */
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
