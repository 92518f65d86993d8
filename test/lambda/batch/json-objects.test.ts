/** Streams of JSON are split into the objects at their top, however they arrive. */
import * as fc from 'fast-check';
import { jsonObjects } from '../../../lambda/batch/json-objects';

async function objectsOf(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const found: unknown[] = [];
  const arriving = async function* () {
    for (const chunk of chunks) {
      yield await Promise.resolve(chunk);
      // The owner uses the memory again.
      chunk.fill(0);
    }
  };
  for await (const text of jsonObjects(arriving())) found.push(JSON.parse(text));
  return found;
}

function cut(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text);
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])];
  return ends.sort((a, b) => a - b).map((end, at, all) => Buffer.from(bytes.subarray(all[at - 1] ?? 0, end)));
}

const objects = fc.array(
  fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()).map((own) => JSON.stringify(own)),
);

it('of a list, and of lines, in chunks of any length', async () => {
  await fc.assert(
    fc.asyncProperty(objects, fc.array(fc.nat()), async (all, places) => {
      const expected = all.map((own) => JSON.parse(own) as unknown);
      expect(await objectsOf(cut(`[${all.join(', ')}]`, places))).toEqual(expected);
      expect(await objectsOf(cut(all.map((own) => `${own}\n`).join(''), places))).toEqual(expected);
    }),
  );
});

it.each(['{"a": "}{"}', String.raw`{"a": "\"}"}`, String.raw`{"a": "\\"}`, '{"a": {"b": [{"c": {}}]}}'])(
  'of %s',
  async (text) => {
    const twice = `${text}${text}`;
    const each = Array.from(twice, (_, at) => at);
    expect(await objectsOf(cut(twice, each))).toEqual([JSON.parse(text), JSON.parse(text)]);
  },
);

it('refuses JSON that ends inside an object', async () => {
  await expect(objectsOf(cut('{"a": 1}{"b": 2', []))).rejects.toThrow('the JSON ends inside an object');
});
