/** The memory for parts in flight: so many buffers and no more, used again and again. */

export class PartBuffers {
  private readonly free: Buffer[] = [];
  private readonly waiting: ((buffer: Buffer) => void)[] = [];
  private made = 0;

  constructor(
    private readonly count: number,
    private readonly bytes: number,
  ) {}

  /** A buffer, as soon as there is one. It has to be given back. */
  async take(): Promise<Buffer> {
    const buffer = this.free.pop();
    if (buffer !== undefined) return buffer;
    if (this.made < this.count) {
      this.made++;
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
