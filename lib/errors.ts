/** The one error of this library: what was expected, what came, what to do about it, in one line. */

export class SlicedInferenceError extends Error {
  override readonly name = 'SlicedInferenceError';

  /**
   * @param what names the thing (tensor, node, file, prop) and what it has to be
   * @param got what it is instead
   * @param advice what the reader can do
   */
  constructor(what: string, got: string, advice: string) {
    super(`${what}, got ${got}: ${advice}`);
  }
}

/** A name inside an error, in quotes. */
export function quoted(name: string): string {
  return `'${printable(name)}'`;
}

/** Line ends, terminal codes, and what turns the direction of text: an error is one line that reads as it is. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Foreign text inside an error: cut to `most` characters, with what is no plain text escaped. */
export function printable(text: string, most = 120): string {
  const short = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return short.replaceAll(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** Why a system call failed, without the path that the caller's message names already. */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left on the disk';
    case 'EEXIST':
    case 'ENOTDIR':
      return 'a file in the way';
    default:
      return code ?? String(error);
  }
}
