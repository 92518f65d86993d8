/** Limits the traffic of one function. The function's connections share its bandwidth. */
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RateLimit } from './rate-limit';
import type { NetworkShape } from './simulation';

type Direction = 'download' | 'upload';
type Limits = Readonly<Record<Direction, RateLimit>>;

export class Traffic {
  private readonly all: Limits;
  private readonly connections = new WeakMap<Socket, Limits>();

  constructor(private readonly shape: NetworkShape) {
    this.all = limits(shape.functionBytesPerSecond);
  }

  /** Waits for as long as S3 takes to start a response. */
  async firstByte(): Promise<void> {
    await delay(this.shape.firstByteMs);
  }

  /** Waits until the bytes have passed the function's network. Small pieces let connections take turns. */
  async pass(bytes: number, socket: Socket, direction: Direction): Promise<void> {
    const now = performance.now();
    const connection = this.limitsOf(socket)[direction];
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

  private limitsOf(socket: Socket): Limits {
    const known = this.connections.get(socket) ?? limits(this.shape.connectionBytesPerSecond);
    this.connections.set(socket, known);
    return known;
  }
}

function limits(bytesPerSecond: number): Limits {
  return { download: new RateLimit(bytesPerSecond), upload: new RateLimit(bytesPerSecond) };
}
