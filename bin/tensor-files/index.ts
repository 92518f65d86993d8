/** Reads and writes files of named tensors for the command line. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError, systemReason } from '../../lib/errors';
import { unreadablePath } from '../../lib/host/read-text';
import { writeNamedFile } from '../outputs/named-file';
import { BadContent, blamingFile } from './bad-content';
import { decodeJson, encodeJson } from './json';
import { decodeNpy } from './npy';
import { decodeNpz, encodeNpz } from './npz';
import { decodeTensorProto } from './tensor-proto';

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
 * Reads `.safetensors`, `.npz`, `.npy`, `.json` or a folder of `input_N.pb`.
 * @param inputs the model's inputs in order, for tensors that have no name or no type in the file
 * @throws SlicedInferenceError with the file's path, when the file is missing, unreadable or malformed
 */
export async function readTensorFile(path: string, inputs: readonly TensorSpec[]): Promise<NamedTensors> {
  if (await isFolder(path)) return readProtoFolder(path, inputs);
  const decode = byExtension(DECODERS, path, 'or a folder of input_N.pb');
  const bytes = await readBytes(path);
  return blamingFile(path, () => decode(bytes, inputs));
}

/**
 * Writes `.safetensors`, `.npz` or `.json`, depending on the path's extension.
 * @throws SlicedInferenceError when the extension is another one or the file cannot be written
 */
export async function writeTensorFile(path: string, tensors: NamedTensors): Promise<void> {
  const encode = byExtension(ENCODERS, path, 'to be written');
  const bytes = blamingFile(path, () => encode(tensors));
  await writeNamedFile(path, '--out', bytes);
}

/** Whether `writeTensorFile` supports the path's extension; for a check before long work. */
export function isWritableTensorFile(path: string): boolean {
  return Object.hasOwn(ENCODERS, extname(path).toLowerCase());
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { got, advice } = unreadablePath(path, error);
    throw new SlicedInferenceError(`tensor file '${path}' must be readable`, got, advice);
  }
}

function byExtension<T>(codecs: Readonly<Record<string, T>>, path: string, more: string): T {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(codecs, extension)) return codecs[extension];
  const known = Object.keys(codecs).join(', ');
  const got = extension === '' ? 'no extension' : extension;
  throw new SlicedInferenceError(
    `tensor file '${path}' must be one of ${known} ${more}`,
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

/** Reads a folder of ONNX test inputs. Names each tensor as its file does, or else as the model's input at the file's position. */
async function readProtoFolder(folder: string, inputs: readonly TensorSpec[]): Promise<NamedTensors> {
  const fileNames = await readdir(folder);
  const positions = fileNames.flatMap((name) => /^input_(\d+)\.pb$/.exec(name)?.[1] ?? []);
  // The data set of a model without inputs holds only outputs.
  if (positions.length === 0 && inputs.length > 0) {
    throw new SlicedInferenceError(
      `tensor folder '${folder}' must have input_0.pb and so on`,
      `${fileNames.length} other files`,
      'name the folder of an ONNX test data set or a tensor file',
    );
  }
  const tensors = new Map<string, RawTensor>();
  for (const position of positions.sort((a, b) => Number(a) - Number(b))) {
    const path = join(folder, `input_${position}.pb`);
    const bytes = await readBytes(path);
    const { name: own, tensor } = blamingFile(path, () => decodeTensorProto(bytes));
    const name = own === '' ? inputs.at(Number(position))?.name : own;
    if (name === undefined) {
      throw new SlicedInferenceError(
        `unnamed tensor file '${path}' must have the number of one of the model's ${inputs.length} inputs`,
        `number ${position}`,
        'name the tensor or renumber the file',
      );
    }
    if (tensors.has(name)) {
      throw new SlicedInferenceError(
        `tensor file '${path}' must hold an input that no other file holds`,
        `'${name}' again`,
        'remove one of the files',
      );
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Reads a whole file into memory. Node.js reads at most 2 GiB at once; input files are smaller. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SlicedInferenceError(
      `tensor file '${path}' must be readable`,
      systemReason(error),
      'check the path',
    );
  }
}
