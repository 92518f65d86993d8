/** The index of results finds what was added, also after it was written and read. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { type FoundResult, ResultIndex } from '../../../lambda/batch/result-index';
import { digest } from '../../support/batch-context';

function readAgain(index: ResultIndex): ResultIndex {
  return ResultIndex.decode(new Uint8Array(Buffer.concat(index.encode())));
}

function random(of: number): string {
  return createHash('sha256').update(String(of)).digest('hex').slice(0, 32);
}

it('finds each of thousands of results, and no others, as a map does', () => {
  const names = Array.from({ length: 37 }, (_, at) => `${at}-name`);
  const expected = new Map<string, FoundResult>();
  const index = ResultIndex.empty(names, 5000);
  for (let of = 0; of < 5000; of++) {
    const [object, entry] = [of % 37, of];
    index.add(random(of), object, entry);
    expected.set(random(of), { name: names[object], entry });
  }
  const read = readAgain(index);
  for (let of = 0; of < 10_000; of++) {
    const own = random(of);
    expect([of, index.find(own)]).toEqual([of, expected.get(own)]);
    expect([of, read.find(own)]).toEqual([of, expected.get(own)]);
  }
});

it('finds what was added first for a digest, as a property of any digests that share their words', () => {
  const word = fc.constantFrom('00000000', '00000001', 'ffffffff', '80000000');
  const shared = fc.tuple(word, word, word, word).map((words) => words.join(''));
  const added = fc.array(fc.record({ own: shared, object: fc.nat(4), entry: fc.nat() }), { maxLength: 60 });
  fc.assert(
    fc.property(added, (all) => {
      const names = ['a', 'b', 'c', 'ü', 'e'];
      const index = ResultIndex.empty(names, all.length);
      const expected = new Map<string, FoundResult>();
      for (const { own, object, entry } of all) {
        index.add(own, object, entry);
        if (!expected.has(own)) expected.set(own, { name: names[object], entry });
      }
      const read = readAgain(index);
      for (const [own, found] of expected) expect(read.find(own)).toEqual(found);
      expect(read.find(random(1))).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

it('tells digests apart that differ in one of their words', () => {
  const index = ResultIndex.empty(['x'], 9);
  const same = '0'.repeat(31);
  index.add(`${same}1`, 0, 7);
  for (const place of [7, 15, 23, 31]) {
    const other = Array.from(`${same}1`, (digit, at) => (at === place ? '2' : digit)).join('');
    expect(index.find(other)).toBeUndefined();
  }
  expect(index.find(`${same}1`)).toEqual({ name: 'x', entry: 7 });
});

it.each([0, 1, 2, 3, 5, 6, 100, 341, 342])('has an end for each search with %d results', (items) => {
  const index = ResultIndex.empty(['x'], items);
  for (let of = 0; of < items; of++) index.add(digest(of), 0, of);
  const read = readAgain(index);
  expect(read.find(digest(items))).toBeUndefined();
  if (items > 0) expect(read.find(digest(items - 1))).toEqual({ name: 'x', entry: items - 1 });
});

it('reads no more than its bytes of a buffer that has others', () => {
  const index = ResultIndex.empty(['name'], 20);
  for (let entry = 0; entry < 20; entry++) index.add(random(entry), 0, entry);
  const encoded = Buffer.concat(index.encode());
  const buffer = new Uint8Array(8 + 9 * encoded.byteLength);
  buffer.set(encoded, 8);
  const read = ResultIndex.decode(buffer.subarray(8, 8 + encoded.byteLength));
  for (let entry = 0; entry < 20; entry++) expect(read.find(random(entry))).toEqual({ name: 'name', entry });
  expect(read.find(random(20))).toBeUndefined();
});
