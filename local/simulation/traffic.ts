/** Delays the traffic of one function's sandbox. Its connections share its bandwidth. */
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type BucketShape, passed, refilled, steady } from '../../lib/cost/formulas/slice-timing';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import type { NetworkShape, Simulation } from './simulation';

type Direction = 'download' | 'upload';
type Limits = Readonly<Record<Direction, TokenBucket>>;

/** A request of the sandbox to S3. */
export interface DelayedRequest {
  readonly store: 'standard' | 'express';
  readonly operation: 'get' | 'put';
  readonly socket: Socket;
  /** When the connection was opened, by `performance.now()`. */
  readonly openedAt: number;
}

export class Traffic {
  private readonly all: Limits | undefined;
  private readonly connections = new WeakMap<Socket, Limits>();
  /** Connections that have carried a request since the sandbox last stood still. */
  private open = new WeakSet<Socket>();
  private frozenAt = -Infinity;

  /** @param random uniform in [0, 1) */
  constructor(
    private readonly simulation: Pick<Simulation, 'network' | 'storage'>,
    private readonly random: () => number,
  ) {
    this.all = simulation.network && limits(simulation.network.sandbox);
  }

  /** The sandbox stands still, so its connections to S3 are lost. */
  freeze(now = performance.now()): void {
    this.open = new WeakSet();
    this.frozenAt = now;
  }

  /** Milliseconds that a request which arrives now waits: for its connection, and for S3. */
  firstByteMs({ store, operation, socket, openedAt }: DelayedRequest, now: number): number {
    const delays = this.simulation.storage?.[store];
    if (delays === undefined) return 0;
    const answerMs = atPercent(delays[operation], 100 * this.random());
    if (this.open.has(socket)) return answerMs;
    this.open.add(socket);
    const { openForGetMs = 0, openForPutMs = 0 } = delays;
    const openMs = operation === 'get' ? openForGetMs : openForPutMs;
    const since = openedAt > this.frozenAt ? openedAt : now;
    return Math.max(0, since + openMs - now) + answerMs;
  }

  /** Waits until the bytes have passed the function's network. Small pieces let connections take turns. */
  async pass(bytes: number, socket: Socket, direction: Direction): Promise<void> {
    if (this.all === undefined || this.simulation.network === undefined) return;
    const now = performance.now();
    const connection = this.limitsOf(socket, this.simulation.network)[direction];
    const through = Math.max(connection.reserve(bytes, now), this.all[direction].reserve(bytes, now));
    if (through > now) await delay(through - now);
  }

  /** Yields what the function sends, at the speed of its network. */
  async *uploaded(message: http.IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      await this.pass(chunk.byteLength, message.socket, 'upload');
      yield chunk;
    }
  }

  private limitsOf(socket: Socket, { connectionBytesPerSecond }: NetworkShape): Limits {
    const known = this.connections.get(socket) ?? limits(steady(connectionBytesPerSecond));
    this.connections.set(socket, known);
    return known;
  }
}

/** How much a sender may catch up after a late timer. Otherwise every late timer would cost bandwidth. */
export const CATCH_UP_MS = 20;

/** A limit of bytes per second with a burst: tells each sender when its last byte has passed. */
export class TokenBucket {
  private tokens: number;
  private free = -Infinity;

  constructor(private readonly shape: BucketShape) {
    this.tokens = shape.capacity;
  }

  /** Queues the bytes and returns the time at which the last one has passed. Times are in milliseconds. */
  reserve(bytes: number, now: number): number {
    // Continue a queue that was busy until just now.
    const start = this.free >= now - CATCH_UP_MS ? this.free : now;
    if (start > this.free) this.tokens = refilled(this.tokens, (start - this.free) / 1000, this.shape);
    const { seconds, tokens } = passed(this.tokens, bytes, this.shape);
    this.tokens = tokens;
    this.free = start + seconds * 1000;
    return this.free;
  }
}

function limits(shape: BucketShape): Limits {
  return { download: new TokenBucket(shape), upload: new TokenBucket(shape) };
}
