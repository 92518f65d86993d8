/** Lets a number of pieces of work run at the same time; the others wait in their order. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs the work on all items, and returns the results in the order of the items. */
  all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    return Promise.all(
      items.map(async (item) => {
        if (this.free > 0) this.free--;
        else await new Promise<void>((resolve) => this.waiting.push(resolve));
        try {
          return await work(item);
        } finally {
          const next = this.waiting.shift();
          if (next === undefined) this.free++;
          else next();
        }
      }),
    );
  }
}
