/**
 * Moves the body of a long response from a connection to its reader, through one piece of memory and around Node.js's HTTP parser: the
 * parser copies each read into a new buffer, four layers of streams hand it on, and V8 compiles their code and collects the buffers. Over TLS,
 * each read has only 16 KB. The parser still judges the head of the response; see `read-buffer.ts`. It gets the last byte of the body, so
 * Node.js's agent keeps track of the connection as usual. What a server sends beyond its announced length closes the connection.
 */
import type { Socket } from 'node:net';

const CHUNK_BYTES = 1024 * 1024;

const ROOM_BYTES = 128 * 1024;

/** The longest pieces leave this room in the chunk. Each write to a file costs a switch between threads. */
export const LONGEST_PIECE_BYTES = CHUNK_BYTES - ROOM_BYTES;

/**
 * Receives chunks in order. If it returns a promise, the next chunk comes only after that. The chunk's memory belongs to the sink
 * until then; if it returns nothing, until it returns.
 */
export type Sink = (chunk: Uint8Array) => Promise<void> | undefined;

interface TransferReader {
  /** May use a piece's memory until its promise resolves, or until it returns nothing. */
  readonly sink: Sink;
  /** Bytes are passed on when as many are there, or when the last one has arrived. At most `LONGEST_PIECE_BYTES`. */
  readonly pieceBytes: number;
  readonly arrived: () => void;
  readonly ended: () => void;
}

/** The memory of a connection's transfers. It stays while the connection is open, which may read into it at any time. */
export class TransferMemory {
  /** One piece, so that no chunk is a whole piece that the reader could free. */
  private readonly all = Buffer.allocUnsafeSlow(CHUNK_BYTES + ROOM_BYTES);
  readonly chunk = this.all.subarray(0, CHUNK_BYTES);
  /** Over TLS, decrypted bytes still arrive while the connection waits for the reader of the chunk. */
  readonly spill = this.all.subarray(CHUNK_BYTES);
}

export class DirectTransfer {
  private filled = 0;
  private spilled = 0;
  private isClosed = false;
  private isAbandoned = false;
  private reader: TransferReader | undefined;
  private left: number;

  constructor(
    private readonly socket: Socket,
    private readonly memory: TransferMemory,
    private readonly announced: number,
    private readonly complete: () => void,
  ) {
    this.left = announced;
  }

  free(): Uint8Array {
    return this.isClosed ? this.memory.spill.subarray(this.spilled) : this.memory.chunk.subarray(this.filled);
  }

  /** Takes bytes that the connection has read, in most cases into the place that `free` returned. */
  received(bytes: Uint8Array): void {
    if (this.isAbandoned) return;
    const place = this.free();
    this.left -= bytes.byteLength;
    const problem = this.problemOf(bytes, place);
    if (problem !== undefined) {
      this.socket.destroy(new Error(problem));
      return;
    }
    const isInPlace = bytes.buffer === place.buffer && bytes.byteOffset === place.byteOffset;
    if (!isInPlace) place.set(bytes);
    if (this.isClosed) this.spilled += bytes.byteLength;
    else this.filled += bytes.byteLength;
    this.reader?.arrived();
    if (!this.isClosed) this.closeIfFull();
  }

  passTo(reader: TransferReader): void {
    this.reader = reader;
    if (this.isClosed) this.pass(reader);
    else this.closeIfFull();
  }

  /**
   * Passes on what has arrived, unless the reader is busy. Nothing is passed on afterwards, so a reader that counts bytes knows
   * where the rest begins. Does nothing the second time.
   */
  abandon(): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    if (!this.isClosed && this.filled > 0) void this.reader?.sink(this.memory.chunk.subarray(0, this.filled));
  }

  /** Why the connection must close. `RangeRead` adds the object and what to do. */
  private problemOf({ byteLength }: Uint8Array, place: Uint8Array): string | undefined {
    if (this.left < 0) {
      return `S3 announced ${this.announced} bytes of a body, got ${this.announced - this.left} or more`;
    }
    if (byteLength <= place.byteLength) return undefined;
    return `a connection must bring at most ${place.byteLength} more bytes while its reader is busy, got ${byteLength}`;
  }

  private closeIfFull(): void {
    const pieceBytes = this.reader?.pieceBytes ?? LONGEST_PIECE_BYTES;
    if (this.left > 0 && this.filled < pieceBytes) return;
    this.isClosed = true;
    if (this.reader === undefined) this.socket.pause();
    else this.pass(this.reader);
  }

  private pass({ sink }: TransferReader): void {
    const wait = this.filled > 0 ? sink(this.memory.chunk.subarray(0, this.filled)) : undefined;
    if (wait === undefined) {
      this.open();
      return;
    }
    this.socket.pause();
    // The caller that waits for the sink learns of its failure, and destroys the body.
    wait.then(
      () => {
        this.open();
      },
      () => undefined,
    );
  }

  private open(): void {
    if (this.isAbandoned) return;
    this.isClosed = false;
    this.memory.chunk.set(this.memory.spill.subarray(0, this.spilled));
    this.filled = this.spilled;
    this.spilled = 0;
    // What follows may pause it again.
    this.socket.resume();
    if (this.left === 0 && this.filled === 0) {
      this.reader?.ended();
      this.complete();
    } else this.closeIfFull();
  }
}
