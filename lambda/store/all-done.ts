/**
 * As `Promise.all`, but a failure is told only when nothing is under way any more: what a function leaves running is frozen
 * with it, and a second attempt would find the first one in its way.
 */
export async function allDone<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
