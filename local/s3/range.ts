/** The Range header of a GetObject: one range, as S3 supports it. */
import { notImplemented, S3Error } from './errors';

/** First and last byte, both inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The bytes that `bytes=a-b`, `bytes=a-` or `bytes=-n` selects from an object of `size` bytes; `undefined` for a header that
 * is no range of bytes, which servers ignore: https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 * @throws S3Error when the header has several ranges or selects nothing
 */
export function parseRange(header: string, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) {
    if (/^bytes=[\d-]+(,\s*[\d-]+)+$/.test(header.trim())) {
      throw notImplemented(`several ranges in one request ('${header}')`);
    }
    return undefined;
  }
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(from) > Number(to)) return undefined;

  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (first <= last) return { first, last };
  throw new S3Error('InvalidRange', undefined, { RangeRequested: header, ActualObjectSize: size });
}
