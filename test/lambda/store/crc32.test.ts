import { crc32Base64 } from '../../../lambda/store/crc32';

// The check value of CRC-32/ISO-HDLC for '123456789' is cbf43926: https://reveng.sourceforge.io/crc-catalogue/all.htm
const CHECK = Buffer.from('cbf43926', 'hex').toString('base64');

describe('crc32Base64', () => {
  it('returns the big-endian checksum in base64', () => {
    expect(crc32Base64([Buffer.from('123456789')])).toBe(CHECK);
  });

  it('treats the parts as one sequence of bytes', () => {
    expect(crc32Base64([Buffer.from('1234'), Buffer.from('56789')])).toBe(CHECK);
  });

  it('ignores an empty part, wherever it stands', () => {
    // `new Uint8Array(0)` has memory until its `buffer` is read, so zlib.crc32 would not forget the sum.
    const empty = new Uint8Array(new ArrayBuffer(0));
    expect(crc32Base64([empty, Buffer.from('1234'), empty, Buffer.from('56789'), empty])).toBe(CHECK);
    expect(crc32Base64([])).toBe('AAAAAA==');
  });
});
