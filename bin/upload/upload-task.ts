/** The files to upload and their outcomes. */
import { SlicedInferenceError, quoted } from '../../lib/errors';

/** A file whose key contains its digest, so that an object under the key never has to be written again. */
export interface UploadTask {
  /** Path on this machine. */
  readonly file: string;
  /** Key in the bucket; contains `sha256`. */
  readonly key: string;
  /** Size of the file. */
  readonly bytes: number;
  /** SHA-256 of the file's content, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** Sent completely; already there; or completed from the parts of an unfinished upload. */
export type UploadOutcome = 'uploaded' | 'present' | 'resumed';

/** Only the digest in its key protects a file from being skipped in favor of a stale object. */
export function checkContentAddressed({ key, sha256 }: UploadTask): void {
  if (/^[0-9a-f]{64}$/.test(sha256) && key.includes(sha256)) return;
  throw new SlicedInferenceError(
    "the key of an uploaded file must contain the file's SHA-256",
    `${quoted(key)} for ${quoted(sha256)}`,
    'put the digest into the key',
  );
}
