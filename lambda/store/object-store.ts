/** The two calls to S3 that a slice makes. Tests and other clouds put their own behind it. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ObjectPart {
  /** Size of the whole object. */
  readonly size: number;
  /** Identifies the object's content; passed on, later reads fail when the object was replaced. */
  readonly version: string;
  /**
   * The bytes of the range that the object has, in chunks that are the reader's own: see `release.ts`. It may break off
   * with an error, and is broken off by its `destroy`, also while it is stuck: see `ranged-read.ts`.
   */
  readonly body: Readable;
}

export type WriteResult = 'written' | 'present';

export interface ObjectStore {
  /**
   * @throws ObjectUnavailable when the object is missing or not permitted, ObjectChanged when it is no longer
   * the given version.
   */
  get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart>;
  /** Writes an object of the parts, one behind the other, unless one is there, in which case that one stays. */
  putIfAbsent(object: ObjectReference, parts: readonly Uint8Array[]): Promise<WriteResult>;
}

/** S3 answers 403 for a missing key to those who may not list the bucket, so the two cannot be told apart. */
export class ObjectUnavailable extends Error {
  override readonly name = 'ObjectUnavailable';

  constructor(
    readonly object: ObjectReference,
    problem = 'is missing or not permitted',
  ) {
    super(`s3://${object.bucket}/${object.key} ${problem}`);
  }
}

export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';

  constructor(readonly object: ObjectReference) {
    super(
      `s3://${object.bucket}/${object.key} was replaced while it was read: write each request to a new key`,
    );
  }
}
