import fc from 'fast-check';
import { MAX_PARTS, DEFAULT_PART_BYTES, partBytesOf } from '../../../bin/upload/limits';

const MIB = 1024 * 1024;

test('parts have at least 16 whole MiB, and are at most 10,000, for every size that S3 accepts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 * 2 ** 40 }), (bytes) => {
      const partBytes = partBytesOf(bytes);
      expect(partBytes % MIB).toBe(0);
      expect(partBytes).toBeGreaterThanOrEqual(DEFAULT_PART_BYTES);
      expect(Math.ceil(bytes / partBytes)).toBeLessThanOrEqual(MAX_PARTS);
    }),
  );
});

test('parts grow only if 10,000 parts of 16 MiB are not enough', () => {
  expect(partBytesOf(MAX_PARTS * DEFAULT_PART_BYTES)).toBe(DEFAULT_PART_BYTES);
  expect(partBytesOf(MAX_PARTS * DEFAULT_PART_BYTES + 1)).toBe(DEFAULT_PART_BYTES + MIB);
});
