import * as der from '../../../local/tls/der';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('DER', () => {
  it.each([
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [70_000, '0483011170'],
  ])('writes the length %i in as few bytes as it needs', (length, head) => {
    const written = der.octetString(Buffer.alloc(length));
    expect(hex(written.subarray(0, head.length / 2))).toBe(head);
    expect(written.byteLength).toBe(length + head.length / 2);
  });

  it('keeps integers positive', () => {
    expect(hex(der.integer(Buffer.of(0x7f)))).toBe('02017f');
    expect(hex(der.integer(Buffer.of(0x80)))).toBe('02020080');
  });

  // https://www.rfc-editor.org/rfc/rfc5758 and ITU-T X.690
  it.each([
    ['2.5.29.17', '0603551d11'],
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
    ['1.3.6.1.5.5.7.3.1', '06082b06010505070301'],
  ])('writes the object identifier %s', (dotted, bytes) => {
    expect(hex(der.objectIdentifier(dotted))).toBe(bytes);
  });

  it('writes times to the second', () => {
    const written = der.utcTime(new Date('2026-11-26T03:04:05.678Z'));
    expect(written.subarray(2).toString()).toBe('261126030405Z');
  });
});
