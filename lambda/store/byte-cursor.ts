import { release } from './release';

/** Reads a stream of bytes once, into the caller's buffers, and frees each chunk of the stream after use. */
export class ByteCursor {
  private chunk: Uint8Array = new Uint8Array(0);
  /** The unread part of the chunk. */
  private rest = this.chunk;
  private position = 0;

  constructor(private readonly chunks: AsyncGenerator<Uint8Array, void>) {}

  /** Position of the next byte in the stream. */
  get at(): number {
    return this.position;
  }

  /**
   * Copies the next bytes into `target`.
   * @throws Error if the stream ends before that
   */
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

  /**
   * Reads the end of the stream, because a connection is reused only after its response was read to the end.
   * @throws Error if the stream has more bytes
   */
  async finish(): Promise<void> {
    const { done } = await this.chunks.next();
    if (done !== true) throw new Error(`the stream must end at byte ${this.position}, got more bytes`);
  }

  /** Closes the stream. If a connection's response was not read to its end, this closes the connection too. */
  async close(): Promise<void> {
    release(this.chunk);
    await this.chunks.return();
  }

  /** Returns the next available bytes, at most `limit`. They are valid until the next call. */
  private async next(limit: number): Promise<Uint8Array> {
    while (this.rest.byteLength === 0) {
      release(this.chunk);
      const result = await this.chunks.next();
      if (result.done === true) throw new Error(`the stream ended at byte ${this.position}`);
      this.chunk = result.value;
      this.rest = this.chunk;
    }
    const piece = this.rest.subarray(0, limit);
    this.rest = this.rest.subarray(piece.byteLength);
    this.position += piece.byteLength;
    return piece;
  }
}
