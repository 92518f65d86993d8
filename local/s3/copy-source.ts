/** The source of a CopyObject or an UploadPartCopy, in their headers. */
import { invalidArgument, notImplemented } from './errors';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
}

export const COPY_SOURCE_HEADERS: readonly string[] = [
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
];

/** Parses the header `x-amz-copy-source`: `bucket/key` or `/bucket/key`, percent-encoded. */
export function parseCopySource(header: string): CopySource {
  const [path, ...query] = header.split('?');
  if (query.length > 0) throw notImplemented('a copy with a version of the source');
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decode(path));
  if (match === null) throw invalidArgument('x-amz-copy-source', 'Invalid copy source object key', header);
  return { bucket: match[1], key: match[2] };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Malformed escapes or invalid UTF-8.
    throw invalidArgument('x-amz-copy-source', 'Invalid copy source encoding', path);
  }
}
