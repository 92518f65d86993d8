/** Mutates JSON: drops, repeats, swaps, renames and replaces values, and puts hostile strings into them. */
import { mutateBy } from '../fuzz-case';
import type { Random } from '../random';
import { HOSTILE_STRINGS, type Json, ODD_KEYS, ODD_NUMBERS, ODD_VALUES } from './odd-values';

/** A place in a document, which a mutation may change. */
export class Place {
  constructor(
    private readonly parent: Json[] | { [key: string]: Json },
    readonly key: string,
  ) {}

  get value(): Json {
    return (this.parent as Record<string, Json>)[this.key];
  }

  /** Defines the property, so that `__proto__` becomes a field of the file. */
  set value(value: Json) {
    define(this.parent, this.key, value);
  }

  drop(): void {
    if (Array.isArray(this.parent)) this.parent.splice(Number(this.key), 1);
    else Reflect.deleteProperty(this.parent, this.key);
  }

  /** Adds a value at a random place of the same array, or as another field of the same object. */
  addBeside(random: Random, value: Json): void {
    if (Array.isArray(this.parent)) this.parent.splice(random.below(this.parent.length + 1), 0, value);
    else define(this.parent, otherKey(random, this.parent), value);
  }
}

/** Changes the document, which has values, in place. */
type JsonMutation = (random: Random, document: Json) => void;

const JSON_MUTATIONS: Readonly<Record<string, JsonMutation>> = {
  'drop a value': (random, document) => {
    pickPlace(random, document)?.drop();
  },
  'repeat a value': (random, document) => {
    const place = pickPlace(random, document);
    place?.addBeside(random, structuredClone(place.value));
  },
  'rename a field': (random, document) => {
    const place = pickPlace(random, document);
    const { value } = place ?? {};
    place?.drop();
    place?.addBeside(random, value ?? null);
  },
  'swap two values': (random, document) => {
    const a = pickPlace(random, document);
    const isLikeA = ({ key }: Place): boolean => key === a?.key;
    // Two shapes, two offsets or two digests are more likely to be accepted than a shape and a digest.
    const b = pickPlace(random, document, random.chance(0.5) ? isLikeA : undefined);
    if (a === undefined || b === undefined) return;
    [a.value, b.value] = [structuredClone(b.value), structuredClone(a.value)];
  },
  'replace a value by one of another kind': (random, document) => {
    const place = pickPlace(random, document);
    if (place)
      place.value = JSON.parse(random.pick([...ODD_VALUES, JSON.stringify(String(place.value))])) as Json;
  },
  'put in a hostile string': (random, document) => {
    const place = pickPlace(random, document, isString);
    if (place) place.value = hostile(random, place.value as string);
  },
  'change a number': (random, document) => {
    const place = pickPlace(random, document, ({ value }) => typeof value === 'number');
    if (!place) return;
    const near = Number(place.value) + random.pick([-1, 1]);
    place.value = random.chance(0.3) ? near : random.pick(ODD_NUMBERS);
  },
  'put a string in place of a number': (random, document) => {
    const place = pickPlace(random, document, ({ value }) => typeof value === 'number');
    if (place) place.value = random.pick([String(Number(place.value)), random.pick(HOSTILE_STRINGS)]);
  },
  'rename a string everywhere': (random, document) => {
    const strings = jsonPlaces(document).filter(isString);
    if (strings.length === 0) return;
    const old = random.pick(strings).value as string;
    const name = hostile(random, old);
    for (const place of strings) if (place.value === old) place.value = name;
  },
  'add a field': (random, document) => {
    const place = pickPlace(random, document, isObject);
    const odd = random.chance(0.5)
      ? random.pick(HOSTILE_STRINGS)
      : (JSON.parse(random.pick(ODD_VALUES)) as Json);
    if (place) define(place.value as { [key: string]: Json }, random.pick(ODD_KEYS), odd);
  },
};

/**
 * Applies random mutations to the document, and returns their names.
 * @param most the limit of their number
 */
export function mutateJson(random: Random, document: Json, most: number): string[] {
  return mutateBy(random, JSON_MUTATIONS, most, (mutate) => {
    mutate(random, document);
  });
}

/** There are many tensors and one digest of the plan: chooses a kind of field first, half of the time. */
export function pickPlace(
  random: Random,
  document: Json,
  isWanted: (place: Place) => boolean = () => true,
): Place | undefined {
  const found = jsonPlaces(document).filter(isWanted);
  if (found.length === 0 || random.chance(0.5)) return random.pick(found);
  const key = random.pick([...new Set(found.map((place) => place.key))]);
  return random.pick(found.filter((place) => place.key === key));
}

/** Defines the property, so that `__proto__` becomes a field of the file. */
export function define(parent: object, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Returns the places of all values in a document, outer ones first. */
function jsonPlaces(document: Json): Place[] {
  const found: Place[] = [];
  const pending: Json[] = [document];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const key of Object.keys(next)) {
      const place = new Place(next, key);
      found.push(place);
      pending.push(place.value);
    }
  }
  return found;
}

function isObject({ value }: Place): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString({ value }: Place): boolean {
  return typeof value === 'string';
}

function otherKey(random: Random, parent: object): string {
  return random.pick([random.pick(HOSTILE_STRINGS), random.pick([...Object.keys(parent), ...ODD_KEYS])]);
}

function hostile(random: Random, old: string): string {
  const text = random.pick(HOSTILE_STRINGS);
  return random.pick([text, text, `${old}${text}`, `${text}${old}`]);
}
