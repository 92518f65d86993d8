/** Stores tensors in a bucket: one safetensors object per slice and run, written once and read by ranges. */
import type { ObjectReference } from '../../contract/execution';
import { layoutSafetensors } from '../tensors/safetensors';
import { parseHeader, readHeaderLength, LENGTH_BYTES } from '../tensors/safetensors-header';
import type { RawTensor } from '../tensors/tensor';
import { ByteCursor } from './byte-cursor';
import type { ObjectStore, WriteResult } from './object-store';
import { openObject, readRangeInto } from './ranged-read';
import { StoredTensors, type FetchRange } from './stored-tensors';
import type { TensorReader } from './tensor-reader';

/** Size of the first read. Most objects are shorter. `StoredTensors` does not wait for unneeded bytes of it. */
const FIRST_READ_BYTES = 8 * 1024 * 1024;

export class SafetensorsStore {
  constructor(
    private readonly objects: ObjectStore,
    private readonly bucket: string,
    private readonly firstReadBytes = FIRST_READ_BYTES,
  ) {}

  reference(key: string): ObjectReference {
    return { bucket: this.bucket, key };
  }

  /**
   * Writes the object, or leaves the one that an earlier attempt of the same run wrote.
   * @returns `bytes`: the size of the object if it was written, otherwise 0
   */
  async write(
    key: string,
    tensors: ReadonlyMap<string, RawTensor>,
  ): Promise<{ result: WriteResult; bytes: number }> {
    const parts = layoutSafetensors(tensors);
    const result = await this.objects.putIfAbsent(this.reference(key), parts);
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    return { result, bytes: result === 'written' ? bytes : 0 };
  }

  /**
   * Opens the object and reads its header. The connection stays open until the tensors are read or discarded.
   * @throws SafetensorsError, ObjectUnavailable, ObjectChanged
   */
  async open(key: string): Promise<TensorReader> {
    const object = this.reference(key);
    const { size, version, start, startBytes } = await openObject(this.objects, object, this.firstReadBytes);
    const first = new ByteCursor(start);
    const fetchRange: FetchRange = (range, target) =>
      readRangeInto(this.objects, object, range, version, target);
    try {
      const header = await readHeader(first, { size, startBytes }, fetchRange);
      return new StoredTensors(parseHeader(header, size), first, startBytes, fetchRange);
    } catch (error) {
      await first.close();
      throw error;
    }
  }
}

async function readHeader(
  first: ByteCursor,
  { size, startBytes }: { readonly size: number; readonly startBytes: number },
  fetchRange: FetchRange,
): Promise<Uint8Array> {
  const length = new Uint8Array(Math.min(LENGTH_BYTES, size));
  await first.fill(length);
  const header = new Uint8Array(readHeaderLength(length, size));
  const inFirstPart = header.subarray(0, startBytes - LENGTH_BYTES);
  await first.fill(inFirstPart);
  const end = LENGTH_BYTES + header.byteLength;
  if (end > startBytes) await fetchRange({ start: startBytes, end }, header.subarray(inFirstPart.byteLength));
  return header;
}
