/** Computes sizes that the names of dimensions state: exporters write `past_sequence_length + sequence_length - 1`, for example. */
import { type DimensionSizes, givenSize } from './value-types';

/** Longest name that is read, in characters. Longer names are names like any other. */
const MAX_NAME = 256;

/** Largest size that a name may state, far above any that runs. */
const MAX_STATED = 2 ** 31;

/** Operators in names. A hyphen is one only between spaces or before a number, as names such as `batch-size` have hyphens. */
const OPERATORS = /\/\/|[+*/()]|(?<=\s)-(?=\s)|-(?=\s*\d+\s*(?:$|[+*/()-]))/;

const OPERATORS_AND_HYPHENS = /\/\/|[-+*/()]/;

/** Whether the name has operators, so that it is not the name of one dimension. `seq-1` may be one. */
export function isSum(name: string): boolean {
  return /[+*/]|\s-\s/.test(name);
}

/**
 * The size that a name such as `past + 1` or `(a + b) / 2` states; `undefined` for another name, for one with an unknown part, and
 * for a result above 2^31. The least size is 1. Quotients are rounded down.
 *
 * @param sizes sizes of the dimensions that the name may mention
 */
export function statedSize(name: string, sizes: DimensionSizes): number | undefined {
  if (name.length > MAX_NAME) return undefined;
  for (const operators of [OPERATORS, OPERATORS_AND_HYPHENS]) {
    const result = new Reading(tokensOf(name, operators), sizes).result();
    if (Number.isFinite(result)) return result <= MAX_STATED ? Math.max(1, result) : undefined;
  }
  return undefined;
}

function tokensOf(name: string, operators: RegExp): string[] {
  return name
    .split(new RegExp(`(${operators.source})`))
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** Reads a sum from left to right. A part that is missing, unknown or too much makes the result `NaN`. */
class Reading {
  private next = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly sizes: DimensionSizes,
  ) {}

  result(): number {
    if (this.tokens.length < 2) return NaN;
    const sum = this.sum();
    return this.next === this.tokens.length ? sum : NaN;
  }

  private sum(): number {
    let sum = this.product();
    for (let sign = this.take('+', '-'); sign !== undefined; sign = this.take('+', '-'))
      sum += sign === '+' ? this.product() : -this.product();
    return sum;
  }

  private product(): number {
    let product = this.term();
    for (let sign = this.take('*', '/', '//'); sign !== undefined; sign = this.take('*', '/', '//'))
      product = sign === '*' ? product * this.term() : Math.floor(product / this.term());
    return product;
  }

  private term(): number {
    if (this.take('(') !== undefined) {
      const sum = this.sum();
      return this.take(')') === undefined ? NaN : sum;
    }
    const term = this.tokens.at(this.next++) ?? '';
    return /^\d{1,9}$/.test(term) ? Number(term) : (givenSize(this.sizes, term) ?? NaN);
  }

  private take(...wanted: readonly string[]): string | undefined {
    const token = this.tokens.at(this.next);
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.next++;
    return token;
  }
}
