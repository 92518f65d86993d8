/** The error that this library throws: one line with what was expected, what was got and what to do. */

/** Callers may print it as it is: its texts have no character that a terminal obeys, whatever names they contain. */
export class SlicedInferenceError extends Error {
  override readonly name = 'SlicedInferenceError';
  readonly got: string;
  private isLocated = false;

  /**
   * @param what names the tensor, node, file or prop and says what it must be
   * @param got says what it is instead
   * @param advice says what the user can do
   */
  constructor(what: string, got: string, advice: string) {
    super(escaped(`${what}, got ${got}: ${advice}`));
    this.got = escaped(got);
  }

  /** With the message of an error in another process. */
  static saying(message: string): SlicedInferenceError {
    return Object.assign(new SlicedInferenceError('', '', ''), { message: escaped(message) });
  }

  /** Begins the message with the path of the construct that the user gave this value to. The first one stays. */
  at(path: string): this {
    if (this.isLocated) return this;
    this.isLocated = true;
    const message = `${escaped(path)}: ${this.message}`;
    // The stack begins with the message of its time.
    if (this.stack !== undefined) this.stack = this.stack.replace(this.message, () => message);
    this.message = message;
    return this;
  }
}

/** Quotes a name for an error. */
export function quoted(name: string): string {
  return `'${printable(name)}'`;
}

/** Line ends, terminal codes and characters that change the direction of text would garble a one-line error. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Prepares foreign text for an error: shortens it to `most` characters and escapes unprintable ones. */
export function printable(text: string, most = 120): string {
  return escaped(text.length > most ? `${text.slice(0, most - 3)}...` : text);
}

/** Foreign text in one line: line ends become blanks, other unprintable characters are escaped. */
export function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, (blanks) => (/[\t-\r]/.test(blanks) ? ' ' : blanks));
  return escaped(line);
}

/** Escapes the unprintable characters of foreign text, also its line ends. */
export function escaped(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** The first `most` of the texts, and how many more there are. */
export function listed(texts: readonly string[], most: number): string {
  const more = texts.length - most;
  return more > 0 ? `${texts.slice(0, most).join(', ')} and ${more} more` : texts.join(', ');
}

/** Says why a system call failed, without the path, which the caller's message already has. */
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
