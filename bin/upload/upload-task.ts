/** What is to be uploaded, and what becomes of it. */
import { SlicedInferenceError, quoted } from '../../lib/errors';

/** A file whose key says what it holds, so that what is there under its key never has to be written again. */
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

/** Sent as a whole; there already; or some of its parts were there from an upload that did not end. */
export type UploadOutcome = 'uploaded' | 'present' | 'resumed';

/** That nothing stale is taken for the file rests on its key. */
export function checkContentAddressed({ key, sha256 }: UploadTask): void {
  if (/^[0-9a-f]{64}$/.test(sha256) && key.includes(sha256)) return;
  throw new SlicedInferenceError(
    "the key of an uploaded file must contain the file's SHA-256",
    `${quoted(key)} for ${quoted(sha256)}`,
    'put the digest into the key',
  );
}
