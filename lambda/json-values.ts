/**
 * How messages describe JSON values. Messages end in logs, so they never repeat the content of a request. They may repeat
 * names and places, and short values of fields that describe a tensor.
 */

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parsedRecord(text: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // The caller reports what it expected. The parser's message quotes the text, which can be anything.
    return undefined;
  }
}

/** What a value is, without its content. Works for values of any size and depth. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of length ${value.length}`;
  if (typeof value === 'string') return `a string of length ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const MAX_LISTED = 8;

/**
 * The value of a field that describes a tensor, such as its shape, if it is short; otherwise what it is. A number that is not whole may be
 * an element in the wrong place.
 */
export function fieldValue(value: unknown): string {
  if (Number.isInteger(value) || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && /^[\w.-]{1,20}$/.test(value)) return `"${value}"`;
  if (Array.isArray(value)) return listValue(value);
  return typeof value === 'number' ? FRACTION : kindOf(value);
}

const FRACTION = 'a number that is not whole';

function listValue(list: readonly unknown[]): string {
  const odd = list.findIndex((item) => !Number.isInteger(item));
  if (odd === -1) return list.length <= MAX_LISTED ? `[${list.join(',')}]` : kindOf(list);
  const item = list[odd];
  return `a list with ${typeof item === 'number' ? FRACTION : kindOf(item)} at position ${odd}`;
}

const MAX_NAME = 60;

/** A name or a key in quotation marks, at most 60 characters of it, in one line. */
export function quotedName(name: string): string {
  const short = name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 1)}…`;
  return `'${short.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\ufffd')}'`;
}
