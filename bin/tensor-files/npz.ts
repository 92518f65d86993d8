/** NumPy's archive: a zip of `<name>.npy` files. */
import { unzipSync, zipSync } from 'fflate';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { decodeNpy, encodeNpy } from './npy';
import { BadContent } from './tensor-file-error';

/** Limit of the unpacked size. It is checked before unpacking, because a small archive can claim any size. */
const MAX_UNPACKED_BYTES = 2 ** 31;

const EXTENSION = '.npy';

/** Zip entries carry a time. A fixed one, the earliest possible, makes the bytes depend on the tensors alone. */
const NO_TIME = new Date(1980, 0, 1);

/** @throws BadContent */
export function decodeNpz(file: Uint8Array): Map<string, RawTensor> {
  const tensors = new Map<string, RawTensor>();
  for (const [entry, bytes] of Object.entries(unzip(file))) {
    tensors.set(entry.slice(0, -EXTENSION.length), decodeEntry(entry, bytes));
  }
  return tensors;
}

/** Does not compress, like `numpy.savez`. */
export function encodeNpz(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const files = [...tensors].map(([name, tensor]) => [`${name}${EXTENSION}`, encodeNpy(tensor)]);
  return zipSync(Object.fromEntries(files) as Record<string, Uint8Array>, { level: 0, mtime: NO_TIME });
}

function unzip(file: Uint8Array): Record<string, Uint8Array> {
  let unpacked = 0;
  try {
    return unzipSync(file, {
      filter: ({ name, originalSize }) => {
        if (!name.endsWith(EXTENSION)) {
          throw new BadContent(
            'an .npz archive of .npy arrays',
            `an entry '${name}'`,
            'write it with numpy.savez',
          );
        }
        unpacked += originalSize;
        if (unpacked <= MAX_UNPACKED_BYTES) return true;
        throw new BadContent(`at most ${MAX_UNPACKED_BYTES} bytes unpacked`, 'more', 'use .safetensors');
      },
    });
  } catch (error) {
    if (error instanceof BadContent) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadContent('an .npz archive', `a broken zip (${reason})`, 'write it with numpy.savez');
  }
}

function decodeEntry(entry: string, bytes: Uint8Array): RawTensor {
  try {
    return decodeNpy(bytes);
  } catch (error) {
    if (!(error instanceof BadContent)) throw error;
    throw new BadContent(`${error.expected} in '${entry}'`, error.got, error.advice);
  }
}
