/** The Range header of a GetObject: one range, as S3 supports it. */
import { notImplemented, S3Error } from './errors';

/** First and last byte, both inclusive. */
interface RequestedRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The bytes that `bytes=a-b`, `bytes=a-` or `bytes=-n` selects from an object of `size` bytes.
 * @throws S3Error when the header is malformed, has several ranges, or selects nothing
 */
export function parseRange(header: string, size: number): RequestedRange {
  if (header.includes(',')) throw notImplemented(`several ranges in one request ('${header}')`);
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (from === '' && to === '')
    throw new S3Error(
      'InvalidArgument',
      `the range must be bytes=a-b, bytes=a- or bytes=-n, got '${header}'`,
    );

  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (first > last)
    throw new S3Error('InvalidRange', `the range must be inside the object's ${size} bytes, got '${header}'`);
  return { first, last };
}
