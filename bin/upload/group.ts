/** Runs work concurrently, and throws the first failure once all work has ended. */
export class Group {
  private readonly running: Promise<boolean>[] = [];
  private failure: { readonly error: unknown } | undefined;

  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** Starts the work. Resolves to whether it succeeded; never rejects. */
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

  /** Waits until all work has ended. Rejects with the first failure. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure.error;
  }
}
