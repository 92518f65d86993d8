import type { ObjectReference } from '../../../contract/execution';
import type {
  ByteRange,
  ObjectPart,
  ObjectStore,
  ReplaceResult,
  WriteResult,
} from '../../../lambda/store/object-store';
import { MemoryObjects } from '../../support/memory-objects';

/** Objects in memory: some last for all cases, and each case adds its own. */
export class CaseObjects implements ObjectStore {
  readonly lasting = new MemoryObjects();
  private own = new MemoryObjects();
  private readonly read = new Set<string>();

  /** Forgets the objects of the last case. */
  reset(): void {
    this.own = new MemoryObjects();
    this.read.clear();
  }

  /** What the case has written, as `bucket/key`. */
  get written(): string[] {
    return this.own.keys();
  }

  /** What the case has tried to read, as `bucket/key`. */
  get requested(): string[] {
    return [...this.read];
  }

  get openBodies(): number {
    return this.own.openBodies + this.lasting.openBodies;
  }

  bytes(path: string): Uint8Array | undefined {
    return this.own.bytes(path);
  }

  get({ bucket, key }: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart> {
    const path = `${bucket}/${key}`;
    this.read.add(path);
    if (this.own.bytes(path) !== undefined) return this.own.get({ bucket, key: path }, range, version);
    return this.lasting.get({ bucket, key }, range, version);
  }

  putIfAbsent({ bucket, key }: ObjectReference, parts: readonly Uint8Array[]): Promise<WriteResult> {
    return this.own.putIfAbsent({ bucket, key: `${bucket}/${key}` }, parts);
  }

  prepareConnection(): Promise<void> {
    return Promise.resolve();
  }

  closePrepared(): void {
    // It has no connections.
  }

  replace(
    { bucket, key }: ObjectReference,
    parts: readonly Uint8Array[],
    crc32: number,
    version: string,
  ): Promise<ReplaceResult> {
    return this.own.replace({ bucket, key: `${bucket}/${key}` }, parts, crc32, version);
  }

  closeIdleConnections(): void {
    // It has no connections.
  }
}
