/** Names the slice files that are uploaded to a bucket. */
import type { PlannedFile } from './plan';

/** The S3 key of a slice file: its digest, so that plans with the same slice share one object. */
export function remoteKey(prefix: string, { file, sha256 }: PlannedFile): string {
  const name = `${sha256}${file.slice(file.lastIndexOf('.'))}`;
  return prefix === '' ? name : `${prefix}/${name}`;
}
