/** The memory for parts in flight: a fixed number of buffers that are reused. */

export class PartBuffers {
  private readonly free: Buffer[] = [];
  private readonly waiting: ((buffer: Buffer) => void)[] = [];
  private allocated = 0;

  constructor(
    private readonly count: number,
    private readonly bytes: number,
  ) {}

  /** Waits for a free buffer. The caller must return it with `giveBack`. */
  async take(): Promise<Buffer> {
    const buffer = this.free.pop();
    if (buffer !== undefined) return buffer;
    if (this.allocated < this.count) {
      this.allocated++;
      return Buffer.allocUnsafeSlow(this.bytes);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  giveBack(buffer: Buffer): void {
    const next = this.waiting.shift();
    if (next !== undefined) next(buffer);
    else this.free.push(buffer);
  }
}
