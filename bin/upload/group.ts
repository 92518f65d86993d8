/** Work at the same time, of which the first failure is told when all of it has ended. */
export class Group {
  private readonly running: Promise<boolean>[] = [];
  private failure: { readonly error: unknown } | undefined;

  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** Whether the work succeeds. */
  run(work: () => Promise<void>): Promise<boolean> {
    const running = work().then(
      () => true,
      (error: unknown) => {
        this.failure ??= { error };
        return false;
      },
    );
    this.running.push(running);
    return running;
  }

  async settled(): Promise<void> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure.error;
  }
}
