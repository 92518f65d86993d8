/** The body of a response whose bytes go around Node.js's HTTP parser. Streams read it as any other; `pour` takes less. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { LONGEST_PIECE_BYTES, type DirectTransfer, type Sink } from './direct-transfer';

/**
 * A stream loses what it has not handed on when the connection breaks, so its pieces are as short as the reads of Node.js, of
 * which each may lose as much.
 */
const STREAM_PIECE_BYTES = 64 * 1024;

export class DirectBody extends Readable {
  private hasReader = false;
  private isComplete = false;
  /** Lets the transfer go on after a full queue of the stream. */
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
