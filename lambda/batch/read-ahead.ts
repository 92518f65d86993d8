/** Reads several values at a time, and yields them in their order. */

interface Ahead<T> {
  /** The most at once. */
  readonly most: number;
  /** Of all values that were read and not yet taken. @default - any number */
  readonly maxBytes?: number;
  readonly bytesOf?: (value: T) => number;
}

/**
 * The first values are read two at a time, then four and so on, because nobody knows their sizes before. A value counts with the
 * bytes of the largest one so far.
 */
export async function* readAhead<A, T>(
  sources: Iterable<A> | AsyncIterable<A>,
  read: (source: A) => Promise<T>,
  { most, maxBytes = Infinity, bytesOf = () => 0 }: Ahead<T>,
): AsyncGenerator<T, void> {
  const ahead: Promise<T>[] = [];
  const iterator =
    Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]();
  let [isEmpty, atOnce, largest] = [false, 2, 1];
  try {
    for (;;) {
      const room = Math.max(1, Math.min(atOnce, most, Math.floor(maxBytes / largest)));
      while (!isEmpty && ahead.length < room) {
        const step = iterator.next();
        const next = step instanceof Promise ? await step : step;
        isEmpty = next.done === true;
        if (next.done) break;
        const value = read(next.value);
        // The loop below throws its failure.
        value.catch(() => undefined);
        ahead.push(value);
      }
      const first = ahead.shift();
      if (first === undefined) return;
      const value = await first;
      largest = Math.max(largest, bytesOf(value));
      atOnce *= 2;
      yield value;
    }
  } finally {
    // Lambda may freeze requests that are on their way.
    await Promise.allSettled(ahead);
    await iterator.return?.();
  }
}
