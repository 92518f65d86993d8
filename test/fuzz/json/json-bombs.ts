/** Makes JSON that is expensive to read. */
import type { Random } from '../random';
import { pickPlace } from './mutate-json';
import type { Json } from './odd-values';

/** Stands for the bomb while the rest of the document is written. */
const MARK = '\u0001bomb';

const BOMBS: Readonly<Record<string, (random: Random, value: Json, most: number) => string>> = {
  'deep nesting': (random, _, most) => {
    const [start, end] = random.pick(['[ ]', '{"shape": }', '[{"x": }]']).split(' ');
    const depth = random.magnitude(most / 12);
    return `${start.repeat(depth)}1${end.repeat(depth)}`;
  },
  'many items': (random, value, most) => {
    const item = JSON.stringify(Array.isArray(value) && value.length > 0 ? value[0] : value);
    return `[${Array<string>(random.magnitude(most / (item.length + 1)))
      .fill(item)
      .join()}]`;
  },
  'many fields': (random, value, most) => {
    const isObject = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
    const item = JSON.stringify(isObject ? Object.values(value)[0] : value);
    const count = random.magnitude(most / (item.length + 12));
    return `{${Array.from({ length: count }, (_, index) => `"x${index}":${item}`).join()}}`;
  },
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

function longText(random: Random, most: number): string {
  return random.pick(['n', 'm\\n', '\\u0085', '\\ud800', 'k/']).repeat(random.magnitude(most / 6));
}
