import { Crc32 } from '../../../lambda/store/crc32';

// The check value of CRC-32/ISO-HDLC for '123456789' is cbf43926: https://reveng.sourceforge.io/crc-catalogue/all.htm
const CHECK = Buffer.from('cbf43926', 'hex').toString('base64');
// `new Uint8Array(0)` has memory until its `buffer` is read, so zlib.crc32 would not forget the sum.
const EMPTY = new Uint8Array(new ArrayBuffer(0));
const [START, END] = [Buffer.from('1234'), Buffer.from('56789')];

it.each<[string, readonly Uint8Array[], string]>([
  ['one part', [Buffer.from('123456789')], CHECK],
  ['parts as one sequence of bytes', [START, END], CHECK],
  ['empty parts, which change nothing', [EMPTY, START, EMPTY, END, EMPTY], CHECK],
  ['no part', [], 'AAAAAA=='],
])('the checksum in base64 is that of %s', (_, parts, expected) => {
  const checksum = new Crc32();
  for (const part of parts) checksum.update(part);
  expect(checksum.base64()).toBe(expected);
});
