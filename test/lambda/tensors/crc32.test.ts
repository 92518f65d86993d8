import { crc32 as zlibCrc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { base64OfCrc32, combinedCrc32, crc32 } from '../../../lambda/tensors/checksums';

it('crc32 has the check value of CRC-32/ISO-HDLC', () => {
  // https://reveng.sourceforge.io/crc-catalogue/all.htm
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  expect(crc32(Buffer.from('56789'), crc32(Buffer.from('1234')))).toBe(0xcbf43926);
  expect(base64OfCrc32(0xcbf43926)).toBe(Buffer.from('cbf43926', 'hex').toString('base64'));
  expect(base64OfCrc32(0)).toBe('AAAAAA==');
});

it('crc32 keeps the sum if an array has no memory', () => {
  expect(crc32(new Uint8Array(new ArrayBuffer(0)), 0xcbf43926)).toBe(0xcbf43926);
});

// zlib alone returns 0. The zeros are never written, so they take no memory.
it('crc32 covers all of 4 GiB', () => {
  const bytes = 2 ** 32;
  let doubled = crc32(new Uint8Array(2 ** 20));
  for (let length = 2 ** 20; length < bytes; length *= 2) doubled = combinedCrc32(doubled, doubled, length);
  expect(crc32(new Uint8Array(bytes))).toBe(doubled);
});

it('combinedCrc32 is the checksum of both sequences', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
      const combined = combinedCrc32(crc32(first), crc32(second), second.byteLength);
      expect(combined).toBe(zlibCrc32(Buffer.concat([first, second])));
    }),
  );
});
