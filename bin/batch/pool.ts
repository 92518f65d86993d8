/** Works on a few values of an iterable at a time, and takes the next one only when it has a place for it. */
export async function inPool<T>(
  values: Iterable<T> | AsyncIterable<T>,
  size: number,
  work: (value: T) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
  let isOver = false;
  const worker = async (): Promise<void> => {
    try {
      for (;;) {
        const next = isOver ? undefined : await iterator.next();
        if (next === undefined || next.done === true) return;
        await work(next.value);
      }
    } catch (error) {
      isOver = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: size }, worker));
  await iterator.return?.();
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}
