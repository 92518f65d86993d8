/** Makes JSON that is expensive to read. */
import { pickPlace } from './mutate-json';
import type { Json } from './odd-values';
import type { Random } from './random';

/** Stands for the bomb while the rest of the document is written. */
const MARK = '\u0001bomb';

const BOMBS: Readonly<Record<string, (random: Random, value: Json, most: number) => string>> = {
  'deep nesting': (random, _, most) => {
    const [start, end] = random.pick(['[ ]', '{"shape": }', '[{"x": }]']).split(' ');
    const depth = random.magnitude(most / 12);
    return `${start.repeat(depth)}1${end.repeat(depth)}`;
  },
  'many items': (random, value, most) => `[${many(random, value, most, (item) => item)}]`,
  'many fields': (random, value, most) =>
    `{${many(random, value, most, (item, index) => `"x${index}":${item}`)}}`,
  'a long text': (random, _, most) => `"${longText(random, most)}"`,
  'a long name': (random, value, most) => `{"${longText(random, most)}":${JSON.stringify(value)}}`,
};

/**
 * Puts a bomb into the place of a value of the document, or of the whole document. Returns what it did and the JSON.
 * @param most limit of its characters, about
 */
export function jsonBomb(random: Random, document: Json, most: number): { step: string; text: string } {
  const name = random.pick(Object.keys(BOMBS));
  const place = random.chance(0.1) ? undefined : pickPlace(random, document);
  const bomb = BOMBS[name](random, place?.value ?? document, most);
  if (place === undefined) return { step: name, text: bomb };
  place.value = MARK;
  return {
    step: `${name} as '${place.key.slice(0, 100)}'`,
    text: JSON.stringify(document).replace(JSON.stringify(MARK), () => bomb),
  };
}

/** Repeats the first part of a value, or the value. */
function many(
  random: Random,
  value: Json,
  most: number,
  write: (item: string, index: number) => string,
): string {
  const [first = value] = typeof value === 'object' && value !== null ? Object.values(value) : [];
  const item = JSON.stringify(first);
  return Array.from({ length: random.magnitude(most / (item.length + 12)) }, (_, index) =>
    write(item, index),
  ).join();
}

function longText(random: Random, most: number): string {
  return random.pick(['n', 'm\\n', '\\u0085', '\\ud800', 'k/']).repeat(random.magnitude(most / 6));
}
