import { randomBytes } from 'node:crypto';
import { splitHead } from '../../../lambda/store/response-head';

const BODY_BYTES = 600_000;

const FIELDS = {
  'x-amz-request-id': 'A',
  'Content-Range': 'bytes 0-599999/700000',
  'Content-Length': String(BODY_BYTES),
  ETag: '"e"',
};

function headOf(fields: Readonly<Record<string, string>>, status = 'HTTP/1.1 206 Partial Content'): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [status, ...lines, '', ''].join('\r\n');
}

function split(head: string, start: Uint8Array = Buffer.alloc(0)) {
  return splitHead(Buffer.concat([Buffer.from(head, 'latin1'), start]));
}

describe('the head of the answer to a long read', () => {
  it('announces one byte to the HTTP parser, and the body begins after it', () => {
    const start = randomBytes(1000);
    const found = split(headOf(FIELDS), start);
    expect(found?.bodyBytes).toBe(BODY_BYTES);
    expect(Buffer.from(found?.start ?? []).equals(start)).toBe(true);
    expect(Buffer.from(found?.head ?? []).toString()).toBe(
      headOf({
        'x-amz-request-id': 'A',
        'Content-Range': 'bytes 0-599999/700000',
        ETag: '"e"',
        'Content-Length': '1',
      }),
    );
  });

  it('may end with the bytes', () => {
    expect(split(headOf(FIELDS))?.start.byteLength).toBe(0);
  });

  it.each([
    ['another status', headOf(FIELDS, 'HTTP/1.1 200 OK')],
    ['another protocol', headOf(FIELDS, 'HTTP/1.0 206 Partial Content')],
    ['a status with control characters', headOf(FIELDS, 'HTTP/1.1 206 \u0001')],
    ['a short body', headOf({ ...FIELDS, 'Content-Length': '1000' })],
    ['no length', headOf({ 'Content-Range': 'bytes 0-599999/700000' })],
    ['no range', headOf({ 'Content-Length': '600000' })],
    ['two lengths', headOf({ ...FIELDS, 'content-length': '600000' })],
    ['a negative length', headOf({ ...FIELDS, 'Content-Length': '-600000' })],
    ['a length with a sign', headOf({ ...FIELDS, 'Content-Length': '+600000' })],
    ['a hexadecimal length', headOf({ ...FIELDS, 'Content-Length': '0x600000' })],
    ['a list of lengths', headOf({ ...FIELDS, 'Content-Length': '600000, 600000' })],
    ['a length beyond all files', headOf({ ...FIELDS, 'Content-Length': '9'.repeat(16) })],
    ['a transfer encoding', headOf({ ...FIELDS, 'Transfer-Encoding': 'chunked' })],
    ['a content encoding', headOf({ ...FIELDS, 'Content-Encoding': 'gzip' })],
    ['a checksum, which the SDK compares', headOf({ ...FIELDS, 'x-amz-checksum-crc32': 'AAAAAA==' })],
    ['a folded field', headOf({ ...FIELDS, 'x-a': 'a\r\n b' })],
    ['a bare line feed', headOf({ ...FIELDS, 'x-a': 'a\nTransfer-Encoding: chunked' })],
    ['a space before the colon', headOf({ ...FIELDS, 'Content-Length ': '1' })],
    ['a field without a name', headOf({ ...FIELDS, '': 'a' })],
    ['a head that goes on', headOf(FIELDS).slice(0, -2)],
    ['a head of 20 KB', headOf({ ...FIELDS, 'x-a': 'a'.repeat(20_000) })],
    ['nothing', ''],
  ])('is left to Node.js with %s', (_, head) => {
    expect(split(head)).toBeUndefined();
  });
});
