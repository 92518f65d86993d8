import { randomBytes } from 'node:crypto';
import { splitHead } from '../../../lambda/store/read-buffer';

const BODY_BYTES = 600_000;

const FIELDS = {
  'x-amz-request-id': 'A',
  'Content-Range': 'bytes 0-599999/700000',
  'Content-Length': String(BODY_BYTES),
  ETag: '"e"',
};

/** Leaves out fields that are undefined. */
function headOf(
  fields: Readonly<Record<string, string | undefined>>,
  status = 'HTTP/1.1 206 Partial Content',
) {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  const lines = present.map(([name, value]) => `${name}: ${value}`);
  return [status, ...lines, '', ''].join('\r\n');
}

function split(head: string, start: Uint8Array = Buffer.alloc(0)) {
  return splitHead(Buffer.concat([Buffer.from(head, 'latin1'), start]));
}

describe('the head of the answer to a long read', () => {
  it('announces one byte to the HTTP parser, and the body begins after it', () => {
    for (const start of [randomBytes(1000), Buffer.alloc(0)]) {
      const found = split(headOf(FIELDS), start);
      expect(found?.bodyBytes).toBe(BODY_BYTES);
      expect(Buffer.from(found?.start ?? []).equals(start)).toBe(true);
      const others = headOf({ ...FIELDS, 'Content-Length': undefined });
      const head = others.replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\n');
      expect(Buffer.from(found?.head ?? []).toString()).toBe(head);
    }
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, string?]>([
    ['another status', {}, 'HTTP/1.1 200 OK'],
    ['another protocol', {}, 'HTTP/1.0 206 Partial Content'],
    ['a short body', { 'Content-Length': '1000' }],
    ['no length', { 'Content-Length': undefined }],
    ['no range', { 'Content-Range': undefined }],
    ['two lengths', { 'content-length': '600000' }],
    ['a negative length', { 'Content-Length': '-600000' }],
    ['a list of lengths', { 'Content-Length': '600000, 600000' }],
    ['a length beyond all files', { 'Content-Length': '9'.repeat(16) }],
    ['a transfer encoding', { 'Transfer-Encoding': 'chunked' }],
    ['a content encoding', { 'Content-Encoding': 'gzip' }],
    ['a checksum, which the SDK compares', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
    ['a folded field', { 'x-a': 'a\r\n b' }],
    ['a bare line feed', { 'x-a': 'a\nTransfer-Encoding: chunked' }],
    ['a space before the colon', { 'Content-Length ': '1' }],
    ['20 KB', { 'x-a': 'a'.repeat(20_000) }],
  ])('is left to Node.js with %s', (_, fields, status = 'HTTP/1.1 206 Partial Content') => {
    expect(split(headOf({ ...FIELDS, ...fields }, status))).toBeUndefined();
  });

  it('is left to Node.js if it has not ended', () => {
    expect(split(headOf(FIELDS).slice(0, -2))).toBeUndefined();
    expect(split('')).toBeUndefined();
  });
});
