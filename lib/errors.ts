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

/** Names a value of unknown kind inside an error: strings in quotes, long ones cut. */
export function quoted(name: string): string {
  return name.length > 120 ? `'${name.slice(0, 117)}...'` : `'${name}'`;
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
