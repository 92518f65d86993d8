/**
 * Like `Promise.all`, but rejects only after all promises have settled. Lambda freezes work that a call leaves running,
 * and that work would interfere with the next attempt.
 */
export async function allDone<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
