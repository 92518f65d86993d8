/**
 * Parses JSON that a person or another program wrote. `JSON.parse` rounds whole numbers above 2^53 and keeps the last of two
 * members of one name; this parser returns such numbers exactly and refuses such members.
 */

/** A whole number that a `number` cannot hold exactly is a `bigint`. Objects have no prototype. */
export type ExactJson =
  null | boolean | number | bigint | string | readonly ExactJson[] | { readonly [name: string]: ExactJson };

/** Deeper than any tensor: NumPy's arrays have at most 64 dimensions. */
const MAX_DEPTH = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** By their first letter. */
const WORDS: Readonly<Partial<Record<string, readonly [word: string, value: null | boolean]>>> = {
  n: ['null', null],
  t: ['true', true],
  f: ['false', false],
};

/** Python's `json.dump` writes these words. */
const NO_NUMBER = /NaN|-?Infinity/y;

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
    const first = this.next();
    switch (first) {
      case '[':
        return this.list(depth);
      case '{':
        return this.object(depth);
      case '"':
        return this.string();
      case '':
        throw this.error('an end before it is complete');
      default:
        return first in WORDS ? this.word(first) : this.number();
    }
  }

  private list(depth: number): ExactJson[] {
    const items: ExactJson[] = [];
    this.at++;
    if (this.next() !== ']') {
      do items.push(this.value(depth + 1));
      while (this.skips(','));
    }
    this.expect(']');
    return items;
  }

  private object(depth: number): ExactJson {
    const members = Object.create(null) as Record<string, ExactJson>;
    this.at++;
    if (this.next() !== '}') {
      do {
        if (this.next() !== '"') throw this.error('no name of a member');
        const name = this.string();
        if (Object.hasOwn(members, name)) throw this.error('two members of one name');
        this.expect(':');
        members[name] = this.value(depth + 1);
      } while (this.skips(','));
    }
    this.expect('}');
    return members;
  }

  private string(): string {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw this.error('a string without an end');
    } while (this.isEscaped(end));
    try {
      const value = JSON.parse(this.text.slice(this.at, end + 1)) as string;
      this.at = end + 1;
      return value;
    } catch {
      throw this.error('a malformed string');
    }
  }

  /** Whether an odd number of backslashes is before the quotation mark. */
  private isEscaped(quote: number): boolean {
    let first = quote;
    while (this.text[first - 1] === '\\') first--;
    return (quote - first) % 2 === 1;
  }

  private word(first: string): null | boolean {
    const [word, value] = WORDS[first] ?? ['', null];
    if (!this.text.startsWith(word, this.at)) throw this.error('something that is no value');
    this.at += word.length;
    return value;
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const digits = NUMBER.exec(this.text)?.[0];
    if (digits === undefined) throw this.noNumber();
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.error('a number beyond float64');
    this.at += digits.length;
    const isExact = Number.isSafeInteger(value) || /[.eE]/.test(digits);
    return isExact ? value : BigInt(digits);
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

  private noNumber(): JsonError {
    NO_NUMBER.lastIndex = this.at;
    return NO_NUMBER.test(this.text)
      ? this.error(
          'NaN or Infinity, which JSON does not have,',
          'write base64 instead of data, or an .npz file',
        )
      : this.error('something that is no value');
  }

  private error(problem: string, advice = 'correct it'): JsonError {
    const line = this.text.slice(0, this.at).split('\n').length;
    return new JsonError(`${problem} in line ${line}`, advice);
  }
}
