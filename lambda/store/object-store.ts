/** What a slice needs of S3, as an interface that tests can implement in memory. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import type { ByteRange } from '../../contract/object-reads';
import type { RequestCounts } from '../telemetry/telemetry';

export interface ObjectPart {
  readonly size: number;
  /** Identifies the object's content. A later `get` with this version fails if the object was replaced. */
  readonly version: string;
  /**
   * The bytes of the range that the object has. The reader owns the chunks and may free them: see `release.ts`. The stream
   * may fail before its end, and `destroy` ends it even while no data arrives: see `ranged-read.ts`.
   */
  readonly body: Readable;
}

export interface ObjectStore {
  /**
   * @throws ObjectUnavailable if the object is missing or the function may not read it
   * @throws ObjectChanged if the object no longer has the given version
   */
  get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart>;
  /**
   * Writes the concatenated parts as a new object, or as the next version of the object that has `version`.
   * @param crc32 of all bytes
   * @returns false if there is an object already, or none that has the version; it stays unchanged
   */
  write(
    object: ObjectReference,
    parts: readonly Uint8Array[],
    crc32: number,
    version?: string,
  ): Promise<boolean>;
  closeIdleConnections(): void;
  /**
   * Opens a connection for the next request to the bucket, unless one is open. Reads and writes nothing. Resolves when the
   * connection is open or has failed, but soon in any case, and never rejects.
   */
  prepareConnection(bucket: string): Promise<void>;
}

export function isDirectoryBucket(bucket: string): boolean {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
  return bucket.endsWith('--x-s3');
}

/** The object is missing, not permitted, or encrypted with a key that the function cannot use. For a caller that may not list the bucket, S3 answers 403 in both cases. */
export class ObjectUnavailable extends Error {
  override readonly name = 'ObjectUnavailable';

  constructor(
    readonly object: ObjectReference,
    readonly problem = 'is missing or not permitted',
  ) {
    super(`s3://${object.bucket}/${object.key} ${problem}`);
  }
}

/** Whether an unavailable object is the reason for an error. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof ObjectUnavailable || (error instanceof Error && error.cause instanceof ObjectUnavailable)
  );
}

export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';

  constructor(readonly object: ObjectReference) {
    super(`s3://${object.bucket}/${object.key} was replaced: write each request to a new key`);
  }
}

const NONE: RequestCounts = { s3Gets: 0, s3Puts: 0, expressGets: 0, expressPuts: 0 };

export class CountedObjects implements ObjectStore {
  private counts = NONE;
  private opened: ObjectStore | undefined;

  constructor(private readonly open: () => ObjectStore) {}

  private get objects(): ObjectStore {
    this.opened ??= this.open();
    return this.opened;
  }

  /** The requests since the last time. A load may outlast the call that started it; the next call then reports the rest. */
  take(): RequestCounts {
    const { counts } = this;
    this.counts = NONE;
    return counts;
  }

  get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart> {
    this.count(object, 'Gets');
    return this.objects.get(object, range, version);
  }

  write(object: ObjectReference, ...written: [readonly Uint8Array[], number, string?]): Promise<boolean> {
    this.count(object, 'Puts');
    return this.objects.write(object, ...written);
  }

  closeIdleConnections(): void {
    this.opened?.closeIdleConnections();
  }

  prepareConnection(bucket: string): Promise<void> {
    return this.objects.prepareConnection(bucket);
  }

  private count({ bucket }: ObjectReference, requests: 'Gets' | 'Puts'): void {
    const kind = `${isDirectoryBucket(bucket) ? 'express' : 's3'}${requests}` as const;
    this.counts = { ...this.counts, [kind]: this.counts[kind] + 1 };
  }
}
