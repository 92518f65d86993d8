/**
 * Builds readers of JSON. A reader returns a copy that has the declared fields only, or throws. It refuses an unknown field: without a
 * field of a later version, slices could compute something else. A library such as zod or ajv would replace this file alone, with
 * megabytes: ranges, comparisons of the parts and messages would remain.
 */
import type { Place } from './json-place';

/** @throws SlicedInferenceError for a value that is not a `T` */
export type Reader<T> = (value: unknown, place: Place) => T;

/** By field of `T`: its reader. The compiler requires all fields and allows no others. */
export type Fields<T> = { readonly [Name in keyof Required<T>]: Reader<T[Name]> };

export function anObject<T extends object>(fields: Fields<T>): Reader<T> {
  const known = Object.entries<Reader<unknown>>(fields);
  const names = new Set(known.map(([name]) => name));
  return (value, place) => {
    const object = jsonObject(value, place);
    const unknown = Object.keys(object).find((name) => !names.has(name));
    if (unknown !== undefined)
      throw place.fault(`have no field other than ${[...names].join(', ')}`, unknown);
    // `fromEntries` defines properties, so that no name, not even `__proto__`, reaches a prototype.
    return Object.fromEntries(
      known.flatMap(([name, read]) => {
        const own = Object.hasOwn(object, name) ? object[name] : undefined;
        const copy = read(own, place.field(name));
        return copy === undefined ? [] : [[name, copy]];
      }),
    ) as T;
  };
}

/** An object whose keys are data. */
export function aRecord<T>(key: Reader<string>, entry: Reader<T>): Reader<Record<string, T>> {
  return (value, place) =>
    Object.fromEntries(
      Object.entries(jsonObject(value, place)).map(([name, own]) => {
        const at = place.entry(name);
        return [key(name, at), entry(own, at)];
      }),
    );
}

export function aList<T>(item: Reader<T>, most: number, least = 0): Reader<T[]> {
  return aListOf(() => item, most, least);
}

/** @param itemAt returns the reader of the item at an index */
export function aListOf<T>(itemAt: (index: number) => Reader<T>, most: number, least = 0): Reader<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw place.fault('be a list', value);
    if (value.length > most) throw place.fault(`have at most ${most} entries`, value);
    if (value.length < least) throw place.fault(`have at least ${least} entries`, value);
    return value.map((own, index) => itemAt(index)(own, place.item(index)));
  };
}

export function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, place) => (value === undefined ? undefined : read(value, place));
}

export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null ? null : read(value, place));
}

/** A whole number. Estimates may exceed 2^53. */
export function wholeNumber(least: number, most = Infinity): Reader<number> {
  const must =
    most === Infinity
      ? `be a whole number of ${least} or more`
      : `be a whole number from ${least} to ${most}`;
  return (value, place) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw place.fault(must, value);
  };
}

export function oneOf<T extends string | number>(values: readonly T[]): Reader<T> {
  return (value, place) => {
    const found = values.find((own) => own === value);
    if (found === undefined) throw place.fault(`be ${either(values)}`, value);
    return found;
  };
}

export function matching(pattern: RegExp, what: string): Reader<string> {
  return (value, place) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw place.fault(`be ${what}`, value);
  };
}

/**
 * @param longest in UTF-16 units
 * @param fault says what else is wrong with a text
 */
export function text(
  longest: number,
  fault: (own: string) => string | undefined = () => undefined,
): Reader<string> {
  return (value, place) => {
    if (typeof value !== 'string') throw place.fault('be a string', value);
    if (value.length > longest) {
      throw place.faultOf(`have at most ${longest} characters`, `${value.length} characters`);
    }
    const must = unsafeText(value) ?? fault(value);
    if (must !== undefined) throw place.fault(must, value);
    return value;
  };
}

/** What CDK replaces when it writes a template: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html */
const CDK_TOKEN = /[$#]\{Token\[|-1\.\d{10,16}e\+289/;

function unsafeText(value: string): string | undefined {
  if (CDK_TOKEN.test(value)) return 'be text without tokens of CDK';
  return /\p{Surrogate}/u.test(value) ? 'be Unicode text' : undefined;
}

function jsonObject(value: unknown, place: Place): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw place.fault('be an object', value);
}

function either(values: readonly (string | number)[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
}
