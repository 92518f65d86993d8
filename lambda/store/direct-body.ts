/** The body of a response whose bytes go around Node.js's HTTP parser. Streams read it as any other; `pour` takes less. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Sink } from './sink';
import type { DirectTransfer } from './direct-transfer';

export class DirectBody extends Readable {
  private hasReader = false;
  private isComplete = false;
  /** Lets the transfer go on after a full queue of the stream. */
  private goOn: (() => void) | undefined;

  constructor(
    private readonly response: IncomingMessage,
    private readonly transfer: DirectTransfer,
  ) {
    super();
    // The parser sees the head and a last byte only.
    response.resume();
    let problem: Error | undefined;
    response.on('error', (error) => (problem = error));
    response.once('close', () => {
      if (this.isComplete) return;
      this.transfer.abandon();
      this.destroy(problem ?? new Error('aborted'));
    });
  }

  /** Passes the bytes to `sink` in the memory into which they were read. */
  pourInto(sink: Sink, arrived: () => void): void {
    this.hasReader = true;
    this.transfer.passTo(sink, arrived, () => {
      this.isComplete = true;
      this.push(null);
      // Nobody else reads the end.
      this.resume();
    });
  }

  override _read(): void {
    this.goOn?.();
    this.goOn = undefined;
    if (this.hasReader) return;
    this.hasReader = true;
    this.transfer.passTo(
      (chunk) =>
        this.push(Buffer.from(chunk)) ? undefined : new Promise((resolve) => (this.goOn = resolve)),
      () => undefined,
      () => {
        this.isComplete = true;
        this.push(null);
      },
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.isComplete) this.response.destroy();
    callback(error);
  }
}
