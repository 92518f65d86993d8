import { SlicedInferenceError } from '../../lib/errors';

/** A fault in a file's content. `blamingFile` adds the file's path. */
export class BadContent extends Error {
  /**
   * @param expected what the content must be
   * @param got what it is instead
   * @param advice what the reader can do
   */
  constructor(
    readonly expected: string,
    readonly got: string,
    readonly advice: string,
  ) {
    super(`${expected}, got ${got}: ${advice}`);
  }
}

/** Runs `decode` on a file's content. @throws SlicedInferenceError with the file's path for a `BadContent` */
export function blamingFile<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof BadContent)) throw error;
    throw new SlicedInferenceError(
      `tensor file '${path}' must be ${error.expected}`,
      error.got,
      error.advice,
    );
  }
}
