/** NumPy's archive: a zip of `<name>.npy` files. */
import { zipSync } from 'fflate';
import { quotedName } from '../../lambda/json-values';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { BrokenZip, TooLargeZip, readZip } from '../../local/zip-archive';
import { decodeNpy, encodeNpy } from './npy';
import { BadContent } from './bad-content';

/** Limit of the unpacked size. It is checked before unpacking, because a small archive can claim any size. */
const MAX_UNPACKED_BYTES = 2 ** 31;

const EXTENSION = '.npy';

/** Zip entries carry a time. A fixed one, the earliest possible, makes the bytes depend on the tensors alone. */
const NO_TIME = new Date(1980, 0, 1);

/** @throws BadContent */
export function decodeNpz(file: Uint8Array): Map<string, RawTensor> {
  const tensors = new Map<string, RawTensor>();
  for (const [entry, bytes] of entriesOf(file)) {
    if (!entry.endsWith(EXTENSION)) {
      const got = `an entry ${quotedName(entry)}`;
      throw new BadContent('an .npz archive of .npy arrays', got, 'write it with numpy.savez');
    }
    tensors.set(entry.slice(0, -EXTENSION.length), decodeEntry(entry, bytes));
  }
  return tensors;
}

function entriesOf(file: Uint8Array): Map<string, Uint8Array> {
  try {
    return readZip(file, MAX_UNPACKED_BYTES);
  } catch (error) {
    if (error instanceof TooLargeZip)
      throw new BadContent(`at most ${MAX_UNPACKED_BYTES} bytes unpacked`, 'more', 'use .safetensors');
    if (!(error instanceof BrokenZip)) throw error;
    throw new BadContent('an .npz archive', `a broken zip (${error.message})`, 'write it with numpy.savez');
  }
}

/** Does not compress, like `numpy.savez`. */
export function encodeNpz(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const files = [...tensors].map(([name, tensor]) => [`${name}${EXTENSION}`, encodeNpy(tensor)]);
  return zipSync(Object.fromEntries(files) as Record<string, Uint8Array>, { level: 0, mtime: NO_TIME });
}

function decodeEntry(entry: string, bytes: Uint8Array): RawTensor {
  try {
    return decodeNpy(bytes);
  } catch (error) {
    if (!(error instanceof BadContent)) throw error;
    throw new BadContent(`${error.expected} in ${quotedName(entry)}`, error.got, error.advice);
  }
}
