/** The one error of the local cloud: what it cannot run and what to do about it, in one sentence. */
export class LocalCloudError extends Error {
  override readonly name = 'LocalCloudError';
}

/** Refuses by name something that the local cloud does not know, rather than pretending to run it. */
export function unsupported(what: string, remedy = 'deploy it to AWS or take it out'): LocalCloudError {
  return new LocalCloudError(`the local cloud does not know ${what}: ${remedy}`);
}

/** The code of a Node.js system error, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
