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
