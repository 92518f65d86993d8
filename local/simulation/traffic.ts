/** What one function sends and receives: its bandwidth is shared by its connections. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RateLimit } from './rate-limit';
import type { NetworkShape } from './simulation';

/** Large pieces take few timers, small ones take turns. */
const PIECE_BYTES = 128 * 1024;

type Direction = 'download' | 'upload';
type Limits = Readonly<Record<Direction, RateLimit>>;

export class Traffic {
  private readonly all: Limits;
  private readonly connections = new WeakMap<Socket, Limits>();

  constructor(private readonly shape: NetworkShape) {
    this.all = limits(shape.functionBytesPerSecond);
  }

  /** Waits for as long as S3 takes to begin an answer. */
  async firstByte(): Promise<void> {
    await delay(this.shape.firstByteMs);
  }

  /** The bytes, as fast as the function's network lets them through. */
  async *paced(
    bytes: AsyncIterable<Buffer>,
    socket: Socket,
    direction: Direction,
  ): AsyncGenerator<Buffer, void, undefined> {
    const connection = this.limitsOf(socket)[direction];
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        const now = performance.now();
        const through = Math.max(
          connection.reserve(piece.byteLength, now),
          this.all[direction].reserve(piece.byteLength, now),
        );
        if (through > now) await delay(through - now);
        yield piece;
      }
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
