/** Stores tensors in a bucket: one safetensors object per slice and run, written once and read by ranges. */
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { FIRST_READ_BYTES } from '../../contract/object-reads';
import { NamedFailure } from '../errors';
import { ChecksumMismatch, checkHeader } from '../tensors/checksums';
import { layoutSafetensors, SafetensorsError, type Metadata } from '../tensors/safetensors';
import { parseHeader, readHeaderLength, LENGTH_BYTES } from '../tensors/safetensors-header';
import type { RawTensor } from '../tensors/tensor';
import {
  ByteCursor,
  READ_ATTEMPTS,
  StoredTensors,
  type FetchRange,
  type TensorReader,
} from './stored-tensors';
import type { ObjectStore } from './object-store';
import { openObject, readRangeInto } from './ranged-read';

interface SafetensorsStoreOptions {
  /**
   * The writers of the objects. Functions always write checksums, so a file without them is damaged. Callers may use any
   * program, and their files are checked if they have checksums.
   * @default 'callers'
   */
  readonly writers?: 'functions' | 'callers';
  /** @default 8 MiB */
  readonly firstReadBytes?: number;
}

interface OpenOptions {
  /** @default - the most of any safetensors file */
  readonly maxHeaderBytes?: number;
  /** That the object must have. @default - any object will do */
  readonly etag?: string | undefined;
}

export class SafetensorsStore {
  private readonly writers: 'functions' | 'callers';
  private readonly firstReadBytes: number;

  constructor(
    private readonly objects: ObjectStore,
    private readonly bucket: string,
    { writers = 'callers', firstReadBytes = FIRST_READ_BYTES }: SafetensorsStoreOptions = {},
  ) {
    this.writers = writers;
    this.firstReadBytes = firstReadBytes;
  }

  reference(key: string): ObjectReference {
    return { bucket: this.bucket, key };
  }

  prepareConnection(): Promise<void> {
    return this.objects.prepareConnection(this.bucket);
  }

  /**
   * Writes the object, or leaves the one that an earlier attempt of the same run wrote.
   * @returns the size of the object in bytes if it was written, otherwise 0
   */
  async write(
    key: string,
    tensors: ReadonlyMap<string, RawTensor>,
    metadata: Metadata = {},
  ): Promise<number> {
    const { parts, byteLength, crc32 } = layoutSafetensors(tensors, metadata);
    return (await this.objects.write(this.reference(key), parts, crc32)) ? byteLength : 0;
  }

  /**
   * Opens the object and reads its header. The connection stays open until the tensors are read or discarded. What is
   * damaged is read again.
   * @throws NamedFailure `CorruptTensor`; SafetensorsError, ObjectUnavailable, ObjectChanged
   */
  async open(key: string, options: OpenOptions = {}): Promise<TensorReader> {
    const object = this.reference(key);
    for (let attempt = 1; ; attempt++) {
      try {
        const { reader, requestEtag, pack } = await this.openOnce(object, options);
        return {
          heads: reader.heads,
          ...(pack !== undefined && { pack }),
          ...(requestEtag !== undefined && { requestEtag }),
          discard: () => reader.discard(),
          read: (names) =>
            reader.read(names).catch((error: unknown) => {
              throw this.named(error, object);
            }),
        };
      } catch (error) {
        if (attempt === READ_ATTEMPTS || !(error instanceof SafetensorsError)) {
          throw this.named(error, object);
        }
      }
    }
  }

  private async openOnce(object: ObjectReference, { maxHeaderBytes, etag }: OpenOptions) {
    const opened = await openObject(this.objects, object, this.firstReadBytes, etag);
    const { size, version, start, startBytes } = opened;
    const first = new ByteCursor(start.chunks());
    const fetchRange: FetchRange = (range, target) =>
      readRangeInto(this.objects, object, range, version, target);
    try {
      const header = await readHeader(first, size, startBytes, fetchRange, maxHeaderBytes);
      const isChecked = checkHeader(header);
      if (!isChecked && this.writers === 'functions') {
        throw new SafetensorsError('the header has no checksum, which slice functions always write');
      }
      const parsed = parseHeader(header, size);
      return {
        reader: new StoredTensors(parsed.entries, first, startBytes, fetchRange),
        requestEtag: this.writers === 'functions' ? parsed.requestEtag : version,
        pack: parsed.pack,
      };
    } catch (error) {
      await first.close();
      throw error;
    }
  }

  /** Gives a name to the failure if the object is damaged, and not only of another format. */
  private named(error: unknown, { bucket, key }: ObjectReference): unknown {
    const byFunctions = this.writers === 'functions';
    const isDamaged = error instanceof ChecksumMismatch || (byFunctions && error instanceof SafetensorsError);
    if (!isDamaged) return error;
    const advice = byFunctions ? 'start the execution again' : 'write it again, without old metadata';
    return new NamedFailure(ERROR_NAMES.corruptTensor, {
      message: `s3://${bucket}/${key} was damaged in ${READ_ATTEMPTS} reads: ${error.message}: ${advice}`,
      ...(error instanceof ChecksumMismatch && error.details),
    });
  }
}

async function readHeader(
  first: ByteCursor,
  size: number,
  startBytes: number,
  fetchRange: FetchRange,
  maxHeaderBytes?: number,
): Promise<Uint8Array> {
  const length = new Uint8Array(Math.min(LENGTH_BYTES, size));
  await first.fill(length);
  const header = new Uint8Array(readHeaderLength(length, size, maxHeaderBytes));
  const inFirstPart = header.subarray(0, startBytes - LENGTH_BYTES);
  await first.fill(inFirstPart);
  const end = LENGTH_BYTES + header.byteLength;
  if (end > startBytes) await fetchRange({ start: startBytes, end }, header.subarray(inFirstPart.byteLength));
  return header;
}
