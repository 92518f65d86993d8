/** Counts the requests to S3, so that the log says what a call is billed for. S3 does not bill the failures that are repeated. */
import type { ObjectReference } from '../../contract/execution';
import type { RequestCounts } from '../telemetry/telemetry';
import {
  isDirectoryBucket,
  type ByteRange,
  type ObjectPart,
  type ObjectStore,
  type ReplaceResult,
  type WriteResult,
} from './object-store';

const NONE: RequestCounts = { s3Gets: 0, s3Puts: 0, expressGets: 0, expressPuts: 0 };

export class CountedObjects implements ObjectStore {
  private counts = NONE;
  private opened: ObjectStore | undefined;

  /** @param open called once, for the first request */
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

  putIfAbsent(object: ObjectReference, parts: readonly Uint8Array[], crc32: number): Promise<WriteResult> {
    this.count(object, 'Puts');
    return this.objects.putIfAbsent(object, parts, crc32);
  }

  replace(
    object: ObjectReference,
    parts: readonly Uint8Array[],
    crc32: number,
    version: string,
  ): Promise<ReplaceResult> {
    this.count(object, 'Puts');
    return this.objects.replace(object, parts, crc32, version);
  }

  closeIdleConnections(): void {
    this.opened?.closeIdleConnections();
  }

  prepareConnection(bucket: string): Promise<void> {
    return this.objects.prepareConnection(bucket);
  }

  closePrepared(): void {
    this.opened?.closePrepared();
  }

  private count({ bucket }: ObjectReference, requests: 'Gets' | 'Puts'): void {
    const kind = `${isDirectoryBucket(bucket) ? 'express' : 's3'}${requests}` as const;
    this.counts = { ...this.counts, [kind]: this.counts[kind] + 1 };
  }
}
