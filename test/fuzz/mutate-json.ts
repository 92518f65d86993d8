/** Mutates JSON: drops, repeats, swaps, renames and replaces values. */
import { HOSTILE_STRINGS, type Json, ODD_KEYS, ODD_NUMBERS, ODD_VALUES, type OddFields } from './odd-values';
import type { Random } from './random';

/** A place in a document, which a mutation may change. */
class Place {
  /** @param field the key of the value, or of the array around it */
  constructor(
    private readonly parent: object,
    readonly key: string,
    readonly field: string,
  ) {}

  get value(): Json {
    return (this.parent as Record<string, Json>)[this.key];
  }

  set value(value: Json) {
    define(this.parent, this.key, value);
  }

  drop(): unknown {
    if (Array.isArray(this.parent)) return this.parent.splice(Number(this.key), 1);
    return Reflect.deleteProperty(this.parent, this.key);
  }

  /** Adds a value at a random place of the same array, or as another field of the same object. */
  addBeside(random: Random, value: Json): void {
    if (Array.isArray(this.parent)) this.parent.splice(random.below(this.parent.length + 1), 0, value);
    else define(this.parent, random.pick([random.pick(HOSTILE_STRINGS), random.pick(ODD_KEYS)]), value);
  }
}

interface Context {
  readonly random: Random;
  readonly document: Json;
  readonly odd: OddFields;
}

type Kind = 'any' | 'string' | 'number' | 'odd';

/** Changes the place, which is picked among places of its kind. */
type Mutation = readonly [kind: Kind, apply: (place: Place, context: Context) => unknown];

function replacing(kind: Kind, replace: (value: Json, context: Context, place: Place) => Json): Mutation {
  return [kind, (place, context) => (place.value = replace(place.value, context, place))];
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'drop a value': ['any', (place) => place.drop()],
  'add a value': [
    'any',
    (place, { random }) => {
      const odd = JSON.parse(random.pick(ODD_VALUES)) as Json;
      place.addBeside(random, random.chance(0.5) ? structuredClone(place.value) : odd);
    },
  ],
  'swap two values': [
    'any',
    (a, { random, document }) => {
      // Two shapes, two offsets or two digests are more likely to be accepted than a shape and a digest.
      const alike = random.chance(0.5) ? placesIn(document).filter(({ key }) => key === a.key) : [];
      const b = alike.length > 0 ? random.pick(alike) : (pickPlace(random, document) ?? a);
      [a.value, b.value] = [structuredClone(b.value), structuredClone(a.value)];
    },
  ],
  'replace a value by one of another kind': replacing(
    'any',
    (value, { random }) =>
      JSON.parse(random.pick([...ODD_VALUES, JSON.stringify(JSON.stringify(value))])) as Json,
  ),
  'replace a value by one for its field': replacing('odd', (_, { random, odd }, { field }) =>
    structuredClone(random.pick(odd[field])),
  ),
  'change a string': replacing('string', (value, { random }) => hostile(random, value as string)),
  'change JSON in a string': replacing('string', (value, { random, odd }) => {
    const inner = parsed(value as string);
    mutateJson(random, inner, 2, odd);
    return JSON.stringify(inner);
  }),
  'change a number': replacing('number', (value, { random }) =>
    random.chance(0.3) ? Number(value) + random.pick([-8, -1, 1, 8]) : random.pick(ODD_NUMBERS),
  ),
  'rename a string everywhere': [
    'string',
    ({ value: old }, { random, document }) => {
      const name = hostile(random, old as string);
      for (const place of placesIn(document)) if (place.value === old) place.value = name;
    },
  ],
};

/**
 * Applies random mutations to the document, and returns their names.
 * @param most the limit of their number
 */
export function mutateJson(random: Random, document: Json, most: number, odd: OddFields = {}): string[] {
  return random.applySome(MUTATIONS, most, ([kind, apply]) => {
    const place = pickPlace(random, document, ({ value, field }) =>
      kind === 'odd' ? Object.hasOwn(odd, field) : kind === 'any' || kind === typeof value,
    );
    if (place !== undefined) apply(place, { random, document, odd });
  });
}

/** There are many tensors and one digest of the plan: chooses a kind of field first, half of the time. */
export function pickPlace(
  random: Random,
  document: Json,
  isWanted: (place: Place) => boolean = () => true,
): Place | undefined {
  const found = placesIn(document).filter(isWanted);
  if (found.length === 0 || random.chance(0.5)) return random.pick(found);
  const key = random.pick([...new Set(found.map((place) => place.key))]);
  return random.pick(found.filter((place) => place.key === key));
}

/** The places of all values in a document, outer ones first. */
function placesIn(document: Json): Place[] {
  const found: Place[] = [];
  const pending: (readonly [value: Json, field: string])[] = [[document, '']];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const [parent, around] = next;
    if (typeof parent !== 'object' || parent === null) continue;
    for (const key of Object.keys(parent)) {
      const place = new Place(parent, key, Array.isArray(parent) ? around : key);
      found.push(place);
      pending.push([place.value, place.field]);
    }
  }
  return found;
}

/** Defines the property, so that `__proto__` becomes a field of the file. */
function define(parent: object, key: string, value: Json): void {
  Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
}

function hostile(random: Random, old: string): string {
  const text = random.pick(HOSTILE_STRINGS);
  return random.pick([text, text, old + text, text + old, old.slice(0, random.below(old.length + 1))]);
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { shape: [1], data: [text] };
  }
}
