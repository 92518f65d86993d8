/**
 * Parses JSON that a person or another program wrote. `JSON.parse` rounds whole numbers above 2^53 and keeps the last of two
 * members of one name; this parser returns such numbers exactly and refuses such members.
 */

/** A whole number that a `number` cannot hold exactly is a `bigint`. Objects have no prototype. */
export type ExactJson =
  null | boolean | number | bigint | string | readonly ExactJson[] | { readonly [name: string]: ExactJson };

/** Deeper than any tensor: NumPy's arrays have at most 64 dimensions. */
const MAX_DEPTH = 100;

/** A number or a word, or something that is no value. */
const SCALAR = /[\w.+-]*/y;

/** The text is not JSON. The message has a line, and never content. */
export class JsonError extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** @throws JsonError */
export function parseJson(text: string): ExactJson {
  return new JsonText(text).whole();
}

class JsonText {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): ExactJson {
    const value = this.value(0);
    if (this.next() !== '') throw this.error('more after the end');
    return value;
  }

  private value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) throw this.error(`more than ${MAX_DEPTH} levels`);
    switch (this.next()) {
      case '[': {
        const items: ExactJson[] = [];
        this.each(']', () => items.push(this.value(depth + 1)));
        return items;
      }
      case '{': {
        const members = Object.create(null) as Record<string, ExactJson>;
        this.each('}', () => {
          if (this.next() !== '"') throw this.error('no name of a member');
          const name = this.string();
          if (Object.hasOwn(members, name)) throw this.error('two members of one name');
          this.expect(':');
          members[name] = this.value(depth + 1);
        });
        return members;
      }
      case '"':
        return this.string();
      case '':
        throw this.error('an end before it is complete');
      default:
        return this.scalar();
    }
  }

  private each(end: ']' | '}', read: () => void): void {
    this.at++;
    if (this.next() !== end) {
      do read();
      while (this.skips(','));
    }
    this.expect(end);
  }

  private string(): string {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw this.error('a string without an end');
    } while (this.isEscaped(end));
    return this.simple(this.text.slice(this.at, end + 1), 'a malformed string') as string;
  }

  /** Whether an odd number of backslashes is before the quotation mark. */
  private isEscaped(quote: number): boolean {
    let first = quote;
    while (this.text[first - 1] === '\\') first--;
    return (quote - first) % 2 === 1;
  }

  private scalar(): ExactJson {
    SCALAR.lastIndex = this.at;
    const [token] = SCALAR.exec(this.text) ?? [''];
    // Python's `json.dump` writes these words.
    if (/^(NaN|-?Infinity)$/.test(token)) {
      throw this.error(
        'NaN or Infinity, which JSON does not have,',
        'write base64 instead of data, or an .npz file',
      );
    }
    const value = this.simple(token, 'something that is no value');
    if (value === Infinity || value === -Infinity) throw this.error('a number beyond float64');
    const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(token);
    return isRounded ? BigInt(token) : value;
  }

  /** A string, a number or a word, which is no list and no object. */
  private simple(token: string, problem: string): string | number | boolean | null {
    try {
      const value = JSON.parse(token) as string | number | boolean | null;
      this.at += token.length;
      return value;
    } catch {
      throw this.error(problem);
    }
  }

  /** The next character that is no white space; empty at the end. */
  private next(): string {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at])) this.at++;
    return this.text.charAt(this.at);
  }

  private skips(character: string): boolean {
    if (this.next() !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.skips(character)) throw this.error(`no ${character}`);
  }

  private error(problem: string, advice = 'correct it'): JsonError {
    const line = this.text.slice(0, this.at).split('\n').length;
    return new JsonError(`${problem} in line ${line}`, advice);
  }
}
