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

/** A name inside an error: in quotes, long ones cut, control characters escaped. */
export function quoted(name: string): string {
  const short = name.length > 120 ? `${name.slice(0, 117)}...` : name;
  // A name may hold line ends and terminal codes; an error is one line of text.
  return `'${short.replaceAll(/\p{Cc}/gu, (code) => `\\x${code.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;
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
