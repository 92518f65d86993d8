/** Names the slice files that are uploaded to a bucket. Keys become parts of ARNs in policies, where `*` and `?` are wildcards. */
import type { PlannedFile } from './plan';

/** The S3 key of a slice file: its digest, so that plans with the same slice share one object. */
export function remoteKey(prefix: string, { file, sha256 }: PlannedFile): string {
  const name = `${sha256}${file.slice(file.lastIndexOf('.'))}`;
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Leaves the rest of a key's 1,024 bytes to the names below the prefix. */
const MAX_PREFIX_LENGTH = 512;

/** The rule that a prefix of keys breaks, or `undefined`. */
export function prefixFault(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  if (prefix.length > MAX_PREFIX_LENGTH) return `a prefix has at most ${MAX_PREFIX_LENGTH} characters`;
  if (!/^[A-Za-z0-9!_.()=@+/-]+$/.test(prefix)) {
    return 'a prefix has letters, digits, slashes and !_.()=@+- only';
  }
  const isEmptyOrDots = (segment: string): boolean => /^\.{0,2}$/.test(segment);
  if (prefix.split('/').some(isEmptyOrDots)) return "a prefix cannot have an empty part, '.' or '..'";
  return undefined;
}
