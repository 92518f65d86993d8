/** Reads and writes files of named tensors for the command line. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import { checkRequest } from '../../lambda/request/request-check';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
import { unreadablePath } from '../../lib/host/read-text';
import { writeNamedFile } from '../outputs/named-file';
import { BadContent, blamingFile } from './bad-content';
import { decodeJson, encodeJson } from './json';
import { decodeNpy, encodeNpy } from './npy';
import { zipSync } from 'fflate';
import { quotedName } from '../../lambda/json-values';
import { BrokenZip, TooLargeZip, readZip } from '../../local/zip-archive';

type NamedTensors = ReadonlyMap<string, RawTensor>;

const DECODERS: Readonly<Record<string, (file: Uint8Array, inputs: readonly TensorSpec[]) => NamedTensors>> =
  {
    '.safetensors': decodeSafetensorsFile,
    '.npz': decodeNpz,
    '.npy': decodeOnlyInput,
    '.json': decodeJson,
  };

const ENCODERS: Readonly<Record<string, (tensors: NamedTensors) => Uint8Array>> = {
  '.safetensors': encodeSafetensors,
  '.npz': encodeNpz,
  '.json': encodeJson,
};

/**
 * Reads `.safetensors`, `.npz`, `.npy` or `.json`.
 * @param inputs the model's inputs in order, for tensors that have no name or no type in the file
 * @throws SlicedInferenceError with the file's path, when the file is missing, unreadable or malformed
 */
export async function readTensorFile(path: string, inputs: readonly TensorSpec[]): Promise<NamedTensors> {
  const decode = byExtension(DECODERS, path);
  const bytes = await readBytes(path);
  return blamingFile(path, () => decode(bytes, inputs));
}

/**
 * The inputs of a model in a file, with those that it requires and no others.
 * @throws NamedFailure `InvalidInput` when the file's tensors do not match the model's inputs
 */
export async function readInputs(
  file: string,
  request: readonly TensorSpec[],
  fixed: readonly string[] = [],
): Promise<NamedTensors> {
  const tensors = await readTensorFile(file, request);
  checkRequest({ request, fixed }, tensors);
  return tensors;
}

/**
 * Writes `.safetensors`, `.npz` or `.json`, depending on the path's extension.
 * @throws SlicedInferenceError when the extension is another one or the file cannot be written
 */
export async function writeTensorFile(path: string, tensors: NamedTensors): Promise<void> {
  const encode = byExtension(ENCODERS, path);
  const bytes = blamingFile(path, () => encode(tensors));
  await writeNamedFile(path, '--out', bytes);
}

/** Whether `writeTensorFile` supports the path's extension; for a check before long work. */
export function isWritableTensorFile(path: string): boolean {
  return Object.hasOwn(ENCODERS, extname(path).toLowerCase());
}

function byExtension<T>(codecs: Readonly<Record<string, T>>, path: string): T {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(codecs, extension)) return codecs[extension];
  const known = Object.keys(codecs).join(', ');
  const got = extension === '' ? 'no extension' : extension;
  throw new SlicedInferenceError(
    `tensor file '${path}' must be one of ${known}`,
    got,
    'convert or rename it',
  );
}

function decodeSafetensorsFile(file: Uint8Array): NamedTensors {
  try {
    return decodeSafetensors(file);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new BadContent('a safetensors file', `invalid content (${error.message})`, 'write it again');
  }
}

function decodeOnlyInput(file: Uint8Array, inputs: readonly TensorSpec[]): NamedTensors {
  const [input] = inputs;
  if (inputs.length === 1) return new Map([[input.name, decodeNpy(file)]]);
  const names = inputs.map(({ name }) => `'${name}'`).join(', ');
  throw new BadContent(
    'a file that names its tensors',
    `an .npy for a model of ${inputs.length} inputs`,
    `use .npz or .safetensors with ${names}`,
  );
}

/** Reads a whole file into memory. Node.js reads at most 2 GiB at once; input files are smaller. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { got, advice } = unreadablePath(path, error);
    throw new SlicedInferenceError(`tensor file '${path}' must be readable`, got, advice);
  }
}

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
