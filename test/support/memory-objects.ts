import { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import type { ByteRange } from '../../contract/object-reads';
import {
  ObjectChanged,
  ObjectUnavailable,
  type ObjectPart,
  type ObjectStore,
} from '../../lambda/store/object-store';

/** An object store in memory that records its reads, counts open connections and can break them. */
export class MemoryObjects implements ObjectStore {
  readonly reads: { key: string; range: ByteRange }[] = [];
  /** Number of connections that will break after half of their bytes. */
  connectionsToBreak = 0;
  idleClosed = 0;
  onPrepare: (bucket: string) => void = () => undefined;
  onRead: (key: string) => void = () => undefined;
  /** Returns the error with which a read of the key fails, if any. */
  failure: (key: string) => Error | undefined = () => undefined;
  /** Changes the bytes of a read, as a network without checksums of its own may. */
  damage: (bytes: Uint8Array, key: string, range: ByteRange) => void = () => undefined;
  private readonly bodies: Readable[] = [];
  private readonly objects = new Map<string, { bytes: Uint8Array; version: number }>();

  /** Number of bodies that were neither read to their end nor closed: their connections are open. */
  get openBodies(): number {
    return this.bodies.filter(({ destroyed }) => !destroyed).length;
  }

  put(key: string, bytes: Uint8Array): void {
    this.objects.set(key, { bytes, version: (this.objects.get(key)?.version ?? 0) + 1 });
  }

  remove(key: string): void {
    this.objects.delete(key);
  }

  bytes(key: string): Uint8Array | undefined {
    return this.objects.get(key)?.bytes;
  }

  keys(): string[] {
    return [...this.objects.keys()].sort();
  }

  get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart> {
    this.onRead(object.key);
    this.reads.push({ key: object.key, range });
    const found = this.objects.get(object.key);
    if (found === undefined) return Promise.reject(new ObjectUnavailable(object));
    if (version !== undefined && version !== tagOf(found)) {
      return Promise.reject(new ObjectChanged(object));
    }
    const part = new Uint8Array(found.bytes.subarray(range.start, range.end));
    this.damage(part, object.key, range);
    const failure = this.failure(object.key);
    if (failure) return Promise.reject(failure);
    const breaks = this.connectionsToBreak > 0;
    if (breaks) this.connectionsToBreak--;
    const body = Readable.from(breaks ? broken(part) : whole(part));
    this.bodies.push(body);
    const size = found.bytes.byteLength;
    // As S3, which answers 416 to every range of an empty object.
    return Promise.resolve({ size, version: size === 0 ? '' : tagOf(found), body });
  }

  closeIdleConnections(): void {
    this.idleClosed++;
  }

  prepareConnection(bucket: string): Promise<void> {
    this.onPrepare(bucket);
    return Promise.resolve();
  }

  write(
    object: ObjectReference,
    parts: readonly Uint8Array[],
    _crc32?: number,
    version?: string,
  ): Promise<boolean> {
    const found = this.objects.get(object.key);
    if (version !== (found && tagOf(found))) return Promise.resolve(false);
    this.put(object.key, new Uint8Array(Buffer.concat(parts)));
    return Promise.resolve(true);
  }
}

/** In quotation marks, as S3 has its ETags. */
function tagOf({ version }: { readonly version: number }): string {
  return `"${version}"`;
}

/** Yields copies of three parts of different lengths, like chunks from a network. */
async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const [first, second] = [0.5, 0.8].map((share) => Math.floor(bytes.byteLength * share));
  yield await Promise.resolve(new Uint8Array(bytes.subarray(0, first)));
  yield new Uint8Array(bytes.subarray(first, second));
  yield new Uint8Array(bytes.subarray(second));
}

async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(bytes.subarray(0, Math.floor(bytes.byteLength / 2))));
  throw new Error('aborted');
}
