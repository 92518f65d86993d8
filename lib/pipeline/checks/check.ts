/**
 * Checks of values that TypeScript has not checked: callers in JavaScript can pass anything. A check tells values apart
 * by what they have and not by `instanceof`, because an app may load a package twice.
 */
import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { SlicedInferenceError, quoted } from '../../errors';
import { got } from './got';
import { checkNames, checkSpelling } from './names';

/**
 * Throws a `SlicedInferenceError` for a value of another kind.
 *
 * @param where names the value in errors
 * @param scope gets warnings of unknown props; without it they are errors
 */
export type Check = (value: unknown, where: string, scope?: Construct) => void;

/** By prop of `T`: the check of its value. The compiler requires all props and allows no others. */
export type Fields<T> = { readonly [P in keyof Required<T>]: Check };

/**
 * @param what says what a value must be
 * @param advice says what to pass instead
 */
export function kind(
  what: string,
  accepts: (value: unknown) => boolean,
  advice: string | ((value: unknown) => string),
): Check {
  return (value, where) => {
    if (accepts(value)) return;
    const advised = typeof advice === 'string' ? advice : advice(value);
    throw new SlicedInferenceError(`${where} must be ${what}`, got(value), advised);
  };
}

/** Accepts `undefined`. */
export function optional(check: Check): Check {
  return (value, where, scope) => {
    if (value === null) throw new SlicedInferenceError(`${where} must have a value`, 'null', 'leave it out');
    if (value !== undefined) check(value, where, scope);
  };
}

/** @param nameOf names an item in errors */
export function listOf(
  items: string,
  advice: string | ((value: unknown) => string),
  item: Check,
  nameOf = (where: string, index: number): string => `${where}[${index}]`,
): Check {
  const list = kind(`a list of ${items}`, Array.isArray, advice);
  return (value, where, scope) => {
    list(value, where, scope);
    for (const [index, entry] of (value as unknown[]).entries()) item(entry, nameOf(where, index), scope);
  };
}

/** @param nameOf names an entry in errors */
export function mapOf(
  what: string,
  example: string,
  entry: Check,
  nameOf = (where: string, key: string): string => `${where}[${quoted(key)}]`,
): Check {
  const map = kind(what, isPlain, `pass ${example}, for example`);
  return (value, where, scope) => {
    map(value, where, scope);
    for (const [key, inner] of Object.entries(value as object)) entry(inner, nameOf(where, key), scope);
  };
}

/** An object with the props of `T`, whose names in errors follow `where` and a dot. */
export function objectOf<T>(fields: Fields<T>, example: string): Check {
  return (value, where, scope) => {
    checkFields(value, fields, { where, prefix: `${where}.`, example, ...(scope && { scope }) });
  };
}

interface FieldsContext {
  /** Names the object in errors. */
  readonly where: string;
  /** Precedes the names of props in errors. */
  readonly prefix: string;
  readonly example: string;
  /** By the name of a prop that another object has: where it is. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  readonly scope?: Construct;
}

/** Checks the names and the values of an object's props. */
export function checkFields<T>(value: unknown, fields: Fields<T>, context: FieldsContext): void {
  const { where, example } = context;
  kind('an object', isPlain, `pass ${example}, for example`)(value, where);
  checkNames(value as object, Object.keys(fields), context);
  checkValues(value as object, fields, context);
}

/**
 * Checks an object that another library defines: a newer version of that library may know more names, so only names
 * that are nearly those of a known prop are errors.
 */
export function checkForeignFields<T>(
  value: unknown,
  fields: Fields<T>,
  context: Pick<FieldsContext, 'where' | 'prefix' | 'example'>,
): void {
  const { where, example } = context;
  kind('an object', isPlain, `pass ${example}, for example`)(value, where);
  checkSpelling(value as object, Object.keys(fields), where);
  checkValues(value as object, fields, context);
}

function checkValues<T>(
  value: object,
  fields: Fields<T>,
  { prefix, scope }: Pick<FieldsContext, 'prefix' | 'scope'>,
): void {
  const given = value as Readonly<Record<string, unknown>>;
  for (const [name, check] of Object.entries<Check>(fields)) check(given[name], `${prefix}${name}`, scope);
}

/** Whether a value's content is its props: that of a list, a `Map`, a `Set` or a promise is not. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Token.isUnresolved(value)) return false;
  // A dimension or a variable may have the name `then`.
  return !(Symbol.iterator in value) && typeof (value as { readonly then?: unknown }).then !== 'function';
}
