/**
 * Builds readers of JSON. A reader returns a copy that has the declared fields only, or throws. It refuses an unknown field: without a
 * field of a later version, slices could compute something else. A library such as zod or ajv would replace this file alone, with
 * megabytes: ranges, comparisons of the parts and messages would remain.
 */
import { SlicedInferenceError, printable, quoted } from './errors';

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

/** A whole number that JavaScript holds exactly. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw place.fault(`be a whole number from ${least} to ${most}`, value);
  };
}

export function numberFrom(least: number, most = Number.MAX_VALUE): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw place.fault(`be a number from ${least} to ${most}`, value);
  };
}

export function oneOf<T extends string | number>(values: readonly T[]): Reader<T> {
  return (value, place) => {
    const found = values.find((own) => own === value);
    if (found === undefined)
      throw place.fault(`be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`, value);
    return found;
  };
}

export const trueOrFalse: Reader<boolean> = (value, place) => {
  if (typeof value === 'boolean') return value;
  throw place.fault('be true or false', value);
};

export function matching(pattern: RegExp, what: string): Reader<string> {
  return (value, place) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw place.fault(`be ${what}`, value);
  };
}

/** @param longest in UTF-16 units @param fault says what else is wrong with a text */
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

/** Longest text of a file that an error repeats, in characters. */
const MAX_SHOWN = 60;

interface FileWording {
  readonly kind: string;
  readonly advice: string;
}

const PLAN: FileWording = {
  kind: 'plan',
  advice: 'make the plan again with `sliced-inference slice`, and do not edit it',
};

/** A place in a file, such as `slices[2].weights.sha256` of a plan. */
export class Place {
  static root(file: string, wording = PLAN): Place {
    return new Place(file, wording, '');
  }

  private constructor(
    private readonly file: string,
    private readonly wording: FileWording,
    private readonly path: string,
  ) {}

  /** @param name a name of this library, not of the file */
  field(name: string): Place {
    return this.inner(this.path === '' ? name : `.${name}`);
  }

  item(index: number): Place {
    return this.inner(`[${index}]`);
  }

  /** @param key text of the file */
  entry(key: string): Place {
    return this.inner(`[${quoted(printable(key, MAX_SHOWN))}]`);
  }

  fault(must: string, value: unknown): SlicedInferenceError {
    return this.faultOf(must, described(value));
  }

  faultOf(must: string, got: string, advice = this.wording.advice): SlicedInferenceError {
    const file = `${this.wording.kind} ${quoted(this.file)}`;
    const subject = this.path === '' ? file : `${this.path} of ${file}`;
    return new SlicedInferenceError(`${subject} must ${must}`, got, advice);
  }

  private inner(step: string): Place {
    return new Place(this.file, this.wording, `${this.path}${step}`);
  }
}

/** Describes lists and objects by their kind alone: they may be deep or large. */
export function described(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return `'${printable(value, MAX_SHOWN)}'`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    default:
      // JSON has only numbers, true and false besides.
      return String(value);
  }
}

export function jsonOf(text: string, place: Place, must: string, advice: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const got = text.trim() === '' ? 'an empty file' : 'text that is not JSON';
    throw place.faultOf(must, got, advice);
  }
}
