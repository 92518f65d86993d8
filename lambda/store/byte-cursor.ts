import { release } from './release';

/** Goes through a stream of bytes once, into buffers of the reader's choice. Frees the stream's chunks behind it. */
export class ByteCursor {
  private chunk: Uint8Array = new Uint8Array(0);
  /** What of the chunk is still to come. */
  private rest = this.chunk;
  private position = 0;

  constructor(private readonly chunks: AsyncGenerator<Uint8Array, void>) {}

  /** Where in the stream the next byte lies. */
  get at(): number {
    return this.position;
  }

  /** Copies the next bytes; fails where the stream has fewer. */
  async fill(target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.byteLength;) {
      const piece = await this.next(target.byteLength - filled);
      target.set(piece, filled);
      filled += piece.byteLength;
    }
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) left -= (await this.next(left)).byteLength;
  }

  /** Takes note of the stream's end: a connection is used again only when its answer was read to the end. */
  async finish(): Promise<void> {
    const { done } = await this.chunks.next();
    if (done !== true) throw new Error(`the stream goes on behind byte ${this.position}`);
  }

  /** Lets go of the stream; of a connection's that is not at its end, the connection too. */
  async close(): Promise<void> {
    release(this.chunk);
    await this.chunks.return();
  }

  /** The next bytes that have come, `most` of them or fewer; theirs until the next call. */
  private async next(most: number): Promise<Uint8Array> {
    while (this.rest.byteLength === 0) {
      release(this.chunk);
      const result = await this.chunks.next();
      if (result.done === true) throw new Error(`the stream ended at byte ${this.position}`);
      this.chunk = result.value;
      this.rest = this.chunk;
    }
    const piece = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(piece.byteLength);
    this.position += piece.byteLength;
    return piece;
  }
}
