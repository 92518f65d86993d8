import type { Socket } from 'node:net';
import * as fc from 'fast-check';
import {
  DirectTransfer,
  LONGEST_PIECE_BYTES,
  TransferMemory,
  type Sink,
} from '../../../lambda/store/direct-transfer';

/** A connection that reads as Node.js does: into the place that it was given after the read before. */
class Connection {
  isPaused = false;
  /** Why the transfer closed the connection. */
  problem: string | undefined;
  private place: Uint8Array;

  constructor(
    memory: TransferMemory,
    private readonly body: Uint8Array,
    onComplete: () => void,
  ) {
    const socket = {
      pause: () => (this.isPaused = true),
      resume: () => (this.isPaused = false),
      destroy: (error: Error) => (this.problem = error.message),
    };
    this.transfer = new DirectTransfer(socket as unknown as Socket, memory, body.byteLength, onComplete);
    this.place = this.transfer.free();
  }

  readonly transfer: DirectTransfer;
  private position = 0;

  get isAtEnd(): boolean {
    return this.position === this.body.byteLength;
  }

  read(limit: number): void {
    const bytes = this.body.subarray(this.position, this.position + Math.min(limit, this.place.byteLength));
    this.position += bytes.byteLength;
    this.place.set(bytes);
    this.transfer.received(this.place.subarray(0, bytes.byteLength));
    this.place = this.transfer.free();
  }
}

const body = Uint8Array.from({ length: 3_500_000 }, (_, index) => (index * 7 + (index >>> 8)) % 251);

/** Bytes per read, and whether the reader ends its work with a chunk before that read. */
const steps = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 300_000 }), isDone: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
});

const pieces = fc.integer({ min: 1, max: LONGEST_PIECE_BYTES });

/** A reader, except for its sink. */
const IDLE = { pieceBytes: LONGEST_PIECE_BYTES, arrived: () => undefined, ended: () => undefined };

/** Tiny reads or pieces get a shorter body: a whole one would take millions of turns. */
const MOST_TURNS = 2000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a transfer', () => {
  it('passes on each byte once, in order, whatever the sizes of reads and the pauses of the reader', async () => {
    const run = fc.asyncProperty(steps, fc.boolean(), pieces, async (order, isLateReader, pieceBytes) => {
      let completed = 0;
      const meanRead = order.reduce((sum, { bytes }) => sum + bytes, 0) / order.length;
      const sent = body.subarray(0, Math.ceil(MOST_TURNS * Math.min(meanRead, pieceBytes)));
      const connection = new Connection(new TransferMemory(), sent, () => completed++);
      const chunks: Buffer[] = [];
      let using: Uint8Array | undefined;
      let done: () => void = () => undefined;
      const passTo = (): void => {
        const sink: Sink = (chunk) => {
          expect(using).toBeUndefined();
          using = chunk;
          return new Promise<void>((resolve) => {
            done = () => {
              chunks.push(Buffer.from(chunk));
              using = undefined;
              resolve();
            };
          });
        };
        connection.transfer.passTo({ ...IDLE, sink, pieceBytes });
      };
      if (!isLateReader) passTo();
      for (let step = 0; completed === 0; step++) {
        const { bytes, isDone } = order[step % order.length];
        if (isLateReader && step === order.length) passTo();
        if (using !== undefined && (isDone || step > order.length)) done();
        await turn();
        // Over TLS, one record comes after the pause.
        if (!connection.isAtEnd && !connection.isPaused) connection.read(bytes);
        if (!connection.isAtEnd && connection.isPaused && bytes < 16_000) {
          if (connection.transfer.free().byteLength > 50_000) connection.read(bytes);
        }
      }
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
      expect(completed).toBe(1);
      expect(connection.problem).toBeUndefined();
    });
    await fc.assert(run, { numRuns: 40 });
  });

  /** Passes a body's chunks to a reader that is done with a chunk when `done` is called. */
  function reading(sent: Uint8Array) {
    let completed = 0;
    const connection = new Connection(new TransferMemory(), sent, () => completed++);
    const chunks: number[] = [];
    let done: () => void = () => undefined;
    const sink: Sink = (chunk) => {
      chunks.push(chunk.byteLength);
      return new Promise((resolve) => (done = resolve));
    };
    connection.transfer.passTo({ ...IDLE, sink });
    const finish = (): void => {
      done();
    };
    return { connection, chunks, finish, completed: () => completed };
  }

  it('passes on nothing after its connection broke, even if the reader ends its work then', async () => {
    const { connection, chunks, finish, completed } = reading(body.subarray(0, 1_050_000));
    connection.read(1_000_000);
    // The last bytes come while the reader is busy.
    connection.read(50_000);
    expect(connection.isAtEnd).toBe(true);
    connection.transfer.abandon();
    finish();
    await turn();
    expect(chunks).toEqual([1_000_000]);
    expect(completed()).toBe(0);
  });

  it('closes its connection if bytes do not stop while the reader is busy', () => {
    const { connection } = reading(body);
    connection.read(1_000_000);
    expect(connection.isPaused).toBe(true);
    connection.transfer.received(new Uint8Array(100_000));
    expect(connection.problem).toBeUndefined();
    connection.transfer.received(new Uint8Array(100_000));
    expect(connection.problem).toBe(
      'a connection must bring at most 31072 more bytes while its reader is busy, got 100000',
    );
  });
});
