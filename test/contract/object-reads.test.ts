/** Which requests read tensors of an object, by numbers that were worked out by hand. */
import { type ByteRange, countGets, readsOf } from '../../contract/object-reads';

const [KIB, MIB] = [1024, 1024 * 1024];
const HEADER = 1000;

/** Places of tensors from these offsets behind the header, in KiB, with these lengths. */
function places(...all: readonly (readonly [from: number, length: number])[]): ByteRange[] {
  return all.map(([from, length]) => ({
    start: HEADER + from * KIB,
    end: HEADER + (from + length) * KIB,
  }));
}

test.each<[string, readonly ByteRange[], number]>([
  ['no tensor, because the header alone is read', [], 1],
  ['neighbors within 8 MiB', places([0, 100], [100, 100], [200, 1]), 1],
  ['tensors with gaps of 256 KiB', places([0, 100], [356, 100], [712, 1]), 1],
  // The first one comes with the header.
  ['tensors with longer gaps', places([0, 100], [357, 100], [714, 1]), 3],
  ['a tensor that begins more than 256 KiB behind the header', places([257, 1]), 2],
  ['a tensor that begins 256 KiB behind the header', places([256, 1]), 1],
  ['a tensor of 24 MiB without the bytes of the header: 8 and 16 MiB', places([0, 24 * 1024 - 1]), 2],
  ['a tensor of 24 MiB and the header: 8 and 16 MiB and the rest', places([0, 24 * 1024]), 3],
  ['neighbors of 40 MiB in all: 8, 16 and 16 MiB', places([0, 9000], [9000, 1], [9001, 31_958]), 3],
  ['neighbors behind the first 8 MiB: 32 MiB in two parts', places([9000, 16_384], [25_384, 16_384]), 3],
])('a function sends the first GET and others for %s', (_, needed, gets) => {
  expect(countGets(needed, HEADER)).toBe(gets);
});

test('what the first read lacks begins with the first tensor that it does not have completely', () => {
  const needed = places([0, 8 * 1024 - 100], [8 * 1024 + 50, 10]);
  expect(readsOf(needed, HEADER, 8 * MIB)).toEqual({
    streamed: { start: needed[0].start, end: needed[1].end, count: 2 },
    rest: needed[1],
    others: [],
  });
});
