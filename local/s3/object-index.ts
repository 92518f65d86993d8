/**
 * The objects of a bucket by key. Each is kept as one string, which takes about half of the memory of an object with dates and strings of its
 * own: a batch of 10,000 items leaves 30,000 objects.
 */
import type { ObjectChecksum } from './checksums';

export interface ObjectMetadata {
  readonly contentType?: string;
  /** Headers by lower-case name: system metadata, `x-amz-meta-` and the encryption that was asked for. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredObject extends ObjectMetadata {
  readonly key: string;
  readonly size: number;
  /** Quoted hexadecimal MD5. For a multipart object: the MD5 of the parts' MD5s, then the number of parts. */
  readonly etag: string;
  readonly checksum: ObjectChecksum;
  readonly lastModified: Date;
  readonly contentType: string;
  readonly file: string;
}

export class ObjectIndex {
  private readonly packed = new Map<string, string>();

  get(key: string): StoredObject | undefined {
    const packed = this.packed.get(key);
    if (packed === undefined) return undefined;
    const object = JSON.parse(packed) as StoredObject;
    return { ...object, key, lastModified: new Date(object.lastModified) };
  }

  set({ key, ...object }: StoredObject): void {
    this.packed.set(key, JSON.stringify(object));
  }

  delete(key: string): void {
    this.packed.delete(key);
  }

  keys(): Iterable<string> {
    return this.packed.keys();
  }
}
