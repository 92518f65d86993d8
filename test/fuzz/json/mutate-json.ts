/** Mutates JSON: drops, repeats, swaps, renames and replaces values. */
import { mutateBy } from '../fuzz-case';
import type { Random } from '../random';
import { HOSTILE_STRINGS, type Json, ODD_KEYS, ODD_NUMBERS, ODD_VALUES, type OddFields } from './odd-values';

type Parent = Json[] | { [key: string]: Json };

/** A place in a document, which a mutation may change. */
class Place {
  /** @param field the key of the value, or of the array around it */
  constructor(
    private readonly parent: Parent,
    readonly key: string,
    readonly field: string,
  ) {}

  get value(): Json {
    return (this.parent as Record<string, Json>)[this.key];
  }

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
    else
      define(this.parent, random.pick([random.pick(HOSTILE_STRINGS), otherKey(random, this.parent)]), value);
  }
}

/** Changes the document, or the place in it, which the mutation picks among places of its kind. */
type JsonMutation = readonly [
  kind: 'any' | 'string' | 'number' | 'object' | 'odd',
  apply: (random: Random, place: Place, context: { document: Json; odd: OddFields }) => void,
];

const JSON_MUTATIONS: Readonly<Record<string, JsonMutation>> = {
  'drop a value': [
    'any',
    (_, place) => {
      place.drop();
    },
  ],
  'repeat a value': [
    'any',
    (random, place) => {
      place.addBeside(random, structuredClone(place.value));
    },
  ],
  'move a value': [
    'any',
    (random, place) => {
      const { value } = place;
      place.drop();
      place.addBeside(random, value);
    },
  ],
  'swap two values': [
    'any',
    (random, a, { document }) => {
      // Two shapes, two offsets or two digests are more likely to be accepted than a shape and a digest.
      const alike = random.chance(0.5) ? jsonPlaces(document).filter(({ key }) => key === a.key) : [];
      const b = alike.length > 0 ? random.pick(alike) : (pickPlace(random, document) ?? a);
      [a.value, b.value] = [structuredClone(b.value), structuredClone(a.value)];
    },
  ],
  'replace a value by one of another kind': [
    'any',
    (random, place) => {
      place.value = JSON.parse(
        random.pick([...ODD_VALUES, JSON.stringify(JSON.stringify(place.value))]),
      ) as Json;
    },
  ],
  'replace a value by one for its field': [
    'odd',
    (random, place, { odd }) => {
      place.value = structuredClone(random.pick(odd[place.field]));
    },
  ],
  'change a string': [
    'string',
    (random, place) => {
      place.value = hostile(random, place.value as string);
    },
  ],
  'change JSON in a string': [
    'string',
    (random, place, { odd }) => {
      const inner = parsed(place.value);
      mutateJson(random, inner, 2, odd);
      place.value = JSON.stringify(inner);
    },
  ],
  'change a number': [
    'number',
    (random, place) => {
      const near = Number(place.value) + random.pick([-8, -1, 1, 8]);
      place.value = random.chance(0.3) ? near : random.pick(ODD_NUMBERS);
    },
  ],
  'rename a string everywhere': [
    'string',
    (random, { value: old }, { document }) => {
      const name = hostile(random, old as string);
      for (const place of jsonPlaces(document)) if (place.value === old) place.value = name;
    },
  ],
  'add a field': [
    'object',
    (random, { value: object }) => {
      const odd = JSON.parse(random.pick(ODD_VALUES)) as Json;
      define(object as object, random.pick(ODD_KEYS), random.pick([odd, random.pick(HOSTILE_STRINGS)]));
    },
  ],
};

/**
 * Applies random mutations to the document, and returns their names.
 * @param most the limit of their number
 */
export function mutateJson(random: Random, document: Json, most: number, odd: OddFields = {}): string[] {
  return mutateBy(random, JSON_MUTATIONS, most, ([kind, apply]) => {
    const isWanted = ({ value, field }: Place): boolean =>
      kind === 'any' || (kind === 'odd' ? Object.hasOwn(odd, field) : kindOf(value) === kind);
    const place = pickPlace(random, document, isWanted);
    if (place !== undefined) apply(random, place, { document, odd });
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

/** Returns the places of all values in a document, outer ones first. */
function jsonPlaces(document: Json): Place[] {
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

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

function otherKey(random: Random, parent: object): string {
  return random.pick([...Object.keys(parent), ...ODD_KEYS]);
}

function hostile(random: Random, old: string): string {
  const text = random.pick(HOSTILE_STRINGS);
  return random.pick([
    text,
    text,
    `${old}${text}`,
    `${text}${old}`,
    old.slice(0, random.below(old.length + 1)),
  ]);
}

function parsed(value: Json): Json {
  try {
    return JSON.parse(value as string) as Json;
  } catch {
    return { shape: [1], data: [value] };
  }
}
