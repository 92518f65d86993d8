import { escaped } from '../lib/errors';

/** The error of the local cloud. Its one-line message says what it cannot run and what to do. */
export class LocalCloudError extends Error {
  override readonly name = 'LocalCloudError';

  constructor(message: string) {
    super(escaped(message));
  }
}

export function closedCloud(): LocalCloudError {
  return new LocalCloudError('the local cloud must be open, got a closed one: call it before close');
}

/** An error that names something that the local cloud does not support, so that it is refused and not ignored. */
export function unsupported(what: string, remedy = 'deploy it to AWS or take it out'): LocalCloudError {
  return new LocalCloudError(`the local cloud does not support ${what}: ${remedy}`);
}

export function orRefusal<T>(read: () => T): T | LocalCloudError {
  try {
    return read();
  } catch (error) {
    if (error instanceof LocalCloudError) return error;
    throw error;
  }
}

/** The code of a Node.js system error, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
