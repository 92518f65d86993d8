/** Makes JSON that is expensive to read. */
import { pickPlace } from './mutate-json';
import type { Json } from './odd-values';
import type { Random } from './random';

/** Stands for the bomb while the rest of the document is written. */
const MARK = '\u0001bomb';

/** From the JSON of a value and the limit of characters, about. */
const BOMBS: Readonly<Record<string, (random: Random, json: string, most: number) => string>> = {
  'deep nesting': (random, _, most) => {
    const [start, end] = random.pick(['[ ]', '{"shape": }', '[{"x": }]']).split(' ');
    const depth = random.magnitude(most / 12);
    return `${start.repeat(depth)}1${end.repeat(depth)}`;
  },
  'many items': (random, json, most) =>
    `[${Array<string>(random.magnitude(most / (json.length + 1)))
      .fill(json)
      .join()}]`,
  'many fields': (random, json, most) => {
    const length = random.magnitude(most / (json.length + 12));
    return `{${Array.from({ length }, (_, index) => `"x${index}":${json}`).join()}}`;
  },
  'a long text': (random, _, most) => `"${longText(random, most)}"`,
  'a long name': (random, json, most) => `{"${longText(random, most)}":${json}}`,
};

/** Puts a bomb into the place of a value of the document. Returns what it did and the JSON. */
export function jsonBomb(random: Random, document: Json, most: number): { step: string; text: string } {
  const name = random.pick(Object.keys(BOMBS));
  const place = pickPlace(random, document);
  if (place === undefined) return { step: name, text: BOMBS[name](random, 'null', most) };
  const bomb = BOMBS[name](random, JSON.stringify(place.value), most);
  place.value = MARK;
  return {
    step: `${name} as '${place.key.slice(0, 100)}'`,
    text: JSON.stringify(document).replace(JSON.stringify(MARK), () => bomb),
  };
}

function longText(random: Random, most: number): string {
  return random.pick(['n', 'm\\n', '\\u0085', '\\ud800', 'k/']).repeat(random.magnitude(most / 6));
}
