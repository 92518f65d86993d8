/** Works on a few values at a time. The workers share the generator, so one that fails also ends the others. */
import { allDone } from '../../lambda/store/ranged-read';

export async function inPool<T>(
  values: Generator<T> | AsyncGenerator<T>,
  size: number,
  work: (value: T) => Promise<void>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    for await (const value of values) await work(value);
  };
  await allDone(Array.from({ length: size }, worker));
}
