/** Moves the body of a long response from a connection to its reader, through one piece of memory. */
import type { Socket } from 'node:net';
import type { Sink } from './sink';

/** Bytes that are passed on at a time. Each write to a file costs a switch between threads. */
const CHUNK_BYTES = 1024 * 1024;

/** Room for what a connection brings at once. Bytes are passed on when less is left. */
const ROOM_BYTES = 128 * 1024;

/** The memory of a connection's transfers. It stays while the connection is open, which may read into it at any time. */
export class TransferMemory {
  /** One piece, so that no chunk is a whole piece that the reader could free. */
  private readonly all = Buffer.allocUnsafeSlow(CHUNK_BYTES + ROOM_BYTES);
  readonly chunk = this.all.subarray(0, CHUNK_BYTES);
  /** Over TLS, decrypted bytes still arrive when the connection waits for the reader, who uses the chunk. */
  readonly spill = this.all.subarray(CHUNK_BYTES);
}

export class DirectTransfer {
  private filled = 0;
  private spilled = 0;
  /** Whether the chunk is full or the reader uses it, so that bytes spill. */
  private isClosed = false;
  private isAbandoned = false;
  private sink: Sink | undefined;
  private arrived: () => void = () => undefined;
  private ended: () => void = () => undefined;

  constructor(
    private readonly socket: Socket,
    private readonly memory: TransferMemory,
    /** Bytes of the body that have not arrived. */
    private left: number,
    /** Called after the last byte was passed on. */
    private readonly complete: () => void,
  ) {}

  /** Where the connection reads into. */
  free(): Uint8Array {
    return this.isClosed ? this.memory.spill.subarray(this.spilled) : this.memory.chunk.subarray(this.filled);
  }

  /** Takes bytes that the connection has read, in most cases into the place that `free` returned. */
  received(bytes: Uint8Array): void {
    const place = this.free();
    this.left -= bytes.byteLength;
    if (this.left < 0 || bytes.byteLength > place.byteLength) {
      this.socket.destroy(new Error('S3 sent more bytes than it announced, or than a connection holds'));
      return;
    }
    const isInPlace = bytes.buffer === place.buffer && bytes.byteOffset === place.byteOffset;
    if (!isInPlace) place.set(bytes);
    if (this.isClosed) this.spilled += bytes.byteLength;
    else this.filled += bytes.byteLength;
    this.arrived();
    if (!this.isClosed) this.closeIfFull();
  }

  /**
   * Sets the reader.
   * @param sink may use a chunk's memory until its promise resolves, or until it returns nothing
   * @param arrived called whenever bytes arrive
   * @param ended called after the last byte was passed on
   */
  passTo(sink: Sink, arrived: () => void, ended: () => void): void {
    this.sink = sink;
    this.arrived = arrived;
    this.ended = ended;
    if (this.isClosed) this.pass(sink);
  }

  /** Passes on what has arrived before the connection broke, unless the reader is busy. Nothing is passed on afterwards. */
  abandon(): void {
    this.isAbandoned = true;
    if (!this.isClosed && this.filled > 0) void this.sink?.(this.memory.chunk.subarray(0, this.filled));
  }

  private closeIfFull(): void {
    if (this.left > 0 && this.filled <= CHUNK_BYTES - ROOM_BYTES) return;
    this.isClosed = true;
    if (this.sink === undefined) this.socket.pause();
    else this.pass(this.sink);
  }

  private pass(sink: Sink): void {
    const wait = this.filled > 0 ? sink(this.memory.chunk.subarray(0, this.filled)) : undefined;
    if (wait === undefined) {
      this.open();
      return;
    }
    this.socket.pause();
    // Whoever waits for the sink learns of its failure, and destroys the body.
    wait.then(
      () => {
        this.open();
      },
      () => undefined,
    );
  }

  /** The reader has taken the chunk. */
  private open(): void {
    if (this.isAbandoned) return;
    this.isClosed = false;
    this.memory.chunk.set(this.memory.spill.subarray(0, this.spilled));
    this.filled = this.spilled;
    this.spilled = 0;
    // What follows may pause it again.
    this.socket.resume();
    if (this.left === 0 && this.filled === 0) {
      this.ended();
      this.complete();
    } else this.closeIfFull();
  }
}
