/** Mutates JSON: drops, repeats, swaps and replaces values, and puts hostile strings into them. */
import type { Random } from './random';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Changes the document in place. */
type JsonMutation = (random: Random, document: Json) => void;

interface JsonPlace {
  readonly parent: Json[] | { [key: string]: Json };
  readonly key: string | number;
}

/** Strings that mean something in a path, a policy, a template, a state machine, a shell or a terminal. */
export const HOSTILE_STRINGS = [
  '',
  '.',
  '..',
  '../../cdk',
  'x/../../cdk',
  '/tmp/owned',
  'C:\\Windows\\owned',
  '\\\\host\\share',
  '*',
  '?',
  'runs/*',
  'arn:aws:s3:::*',
  '${aws:username}',
  '${AWS::AccountId}',
  '${Token[AWS.AccountId.0]}',
  '${Token[TOKEN.1]}',
  '#{Token[TOKEN.1]}',
  '-1.8881545897087503e+289',
  '{% $states.input %}',
  '{{resolve:ssm:secret}}',
  '$(touch owned)',
  '`touch owned`',
  '; rm -rf /',
  '\0',
  'a\0b',
  'a\nb',
  '\u001b[31mred',
  '\u202Etxt',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  '__metadata__',
  'slice-00.onnx',
  'slice-00.weights',
  'slice-99.onnx',
  'SLICE-00.ONNX',
  'request',
  'slice',
  'float32',
  'complex64',
  'none',
  '0'.repeat(64),
  'A'.repeat(64),
  '0'.repeat(65),
  'n'.repeat(300),
  'n'.repeat(70_000),
];

/** Numbers at and around the limits of types, offsets and Lambda's settings. */
export const ODD_NUMBERS = [
  0,
  -0,
  -1,
  1,
  2,
  3,
  7,
  0.5,
  127,
  128,
  511,
  512,
  900,
  901,
  10_240,
  10_241,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e300,
  -1e300,
];

const ODD_VALUES: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => false,
  () => [],
  () => ({}),
  () => '',
  () => 0,
  () => '0',
  () => [[]],
  () => ({ length: 3 }),
  () => ({ from: 'slice', slice: 0 }),
  () => nested(200),
];

const KEYS = [
  'app',
  'length',
  '__proto__',
  'constructor',
  'toJSON',
  'then',
  '',
  'weights',
  'source',
  'slice',
];

const JSON_MUTATIONS: Readonly<Record<string, JsonMutation>> = {
  'drop a value': (random, document) => {
    change(random, document, ({ parent, key }) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else Reflect.deleteProperty(parent, key);
    });
  },
  'repeat a value': (random, document) => {
    change(random, document, ({ parent, key }) => {
      const copy = structuredClone(at(parent, key));
      if (Array.isArray(parent)) parent.splice(random.below(parent.length + 1), 0, copy);
      else put(parent, random.pick([...Object.keys(parent), ...KEYS]), copy);
    });
  },
  'swap two values': (random, document) => {
    const all = jsonPlaces(document);
    if (all.length === 0) return;
    const [a, b] = [random.pick(all), random.pick(all)];
    const [first, second] = [structuredClone(at(a.parent, a.key)), structuredClone(at(b.parent, b.key))];
    put(a.parent, a.key, second);
    put(b.parent, b.key, first);
  },
  'replace a value by one of another kind': (random, document) => {
    change(random, document, ({ parent, key }) => {
      put(parent, key, random.pick(ODD_VALUES)());
    });
  },
  'put in a hostile string': (random, document) => {
    change(
      random,
      document,
      ({ parent, key }) => {
        put(parent, key, hostile(random, at(parent, key) as string));
      },
      'string',
    );
  },
  'change a number': (random, document) => {
    change(
      random,
      document,
      ({ parent, key }) => {
        const near = Number(at(parent, key)) + random.pick([-1, 1]);
        put(parent, key, random.chance(0.3) ? near : random.pick(ODD_NUMBERS));
      },
      'number',
    );
  },
  'put a string in place of a number': (random, document) => {
    change(
      random,
      document,
      ({ parent, key }) => {
        put(parent, key, random.pick([String(Number(at(parent, key))), random.pick(HOSTILE_STRINGS)]));
      },
      'number',
    );
  },
  'rename a string everywhere': (random, document) => {
    const strings = jsonPlaces(document).filter(({ parent, key }) => typeof at(parent, key) === 'string');
    if (strings.length === 0) return;
    const { parent, key } = random.pick(strings);
    const old = at(parent, key) as string;
    const name = hostile(random, old);
    for (const place of strings) {
      if (at(place.parent, place.key) === old) put(place.parent, place.key, name);
    }
  },
  'add a field': (random, document) => {
    change(random, document, ({ parent, key }) => {
      const own = at(parent, key);
      if (typeof own !== 'object' || own === null || Array.isArray(own)) return;
      put(
        own,
        random.pick(KEYS),
        random.chance(0.5) ? random.pick(HOSTILE_STRINGS) : random.pick(ODD_VALUES)(),
      );
    });
  },
};

function hostile(random: Random, old: string): string {
  const text = random.pick(HOSTILE_STRINGS);
  return random.pick([text, text, `${old}${text}`, `${text}${old}`]);
}

function change(
  random: Random,
  document: Json,
  apply: (place: JsonPlace) => void,
  kind?: 'string' | 'number',
): void {
  const found = jsonPlaces(document).filter(
    ({ parent, key }) => kind === undefined || typeof at(parent, key) === kind,
  );
  if (found.length === 0) return;
  // There are many tensors and one digest of the plan: choose a kind of field first, half of the time.
  const { key } = random.pick(found);
  const keys = [...new Set(found.map((place) => place.key))];
  const chosen = random.chance(0.5) ? random.pick(keys) : key;
  apply(random.pick(found.filter((place) => place.key === chosen)));
}

/**
 * Applies random mutations to the document, and returns their names.
 * @param most the limit of their number
 */
export function mutateJson(random: Random, document: Json, most: number): string[] {
  const steps: string[] = [];
  for (let left = random.magnitude(most); left > 0; left--) {
    const step = random.pick(Object.keys(JSON_MUTATIONS));
    JSON_MUTATIONS[step](random, document);
    steps.push(step);
  }
  return steps;
}

/** Returns the places of all values in a document, outer ones first. */
function jsonPlaces(document: Json): JsonPlace[] {
  const found: JsonPlace[] = [];
  const pending: Json[] = [document];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (typeof next !== 'object' || next === null) continue;
    const keys = Array.isArray(next) ? [...next.keys()] : Object.keys(next);
    for (const key of keys) {
      found.push({ parent: next, key });
      pending.push(at(next, key));
    }
  }
  return found;
}

function at(parent: JsonPlace['parent'], key: string | number): Json {
  return Array.isArray(parent) ? parent[Number(key)] : parent[key];
}

/** Defines the property, so that `__proto__` becomes a field of the file. */
function put(parent: JsonPlace['parent'], key: string | number, own: Json): void {
  Object.defineProperty(parent, key, { value: own, enumerable: true, writable: true, configurable: true });
}

function nested(depth: number): Json {
  let inner: Json = [];
  for (let level = 0; level < depth; level++) inner = level % 2 === 0 ? [inner] : { slices: inner };
  return inner;
}
