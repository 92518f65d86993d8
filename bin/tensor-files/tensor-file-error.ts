import { SlicedInferenceError } from '../../lib/errors';

/** What is wrong inside a file, without its name, which `blamingFile` adds. */
export class BadContent extends Error {
  /**
   * @param expected what the content has to be
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

/** Runs `decode` on a file's content; its complaints come out with the file's name. */
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
