/** Reads a folder of ONNX test inputs: `input_0.pb`, `input_1.pb`, … */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
import { readBytes } from './read-bytes';
import { blamingFile } from './tensor-file-error';
import { decodeTensorProto } from './tensor-proto';

/** Names each tensor as its file does, or else as the model's input at the file's position. */
export async function readProtoFolder(
  folder: string,
  inputNames: readonly string[],
): Promise<Map<string, RawTensor>> {
  const tensors = new Map<string, RawTensor>();
  for (const { fileName, position } of inputFiles(folder, await readdir(folder), inputNames)) {
    const path = join(folder, fileName);
    const bytes = await readBytes(path);
    const decoded = blamingFile(path, () => decodeTensorProto(bytes));
    const name = decoded.name === '' ? nameAt(path, position, inputNames) : decoded.name;
    if (tensors.has(name)) {
      throw new SlicedInferenceError(
        `tensor file '${path}' must hold an input that no other file holds`,
        `'${name}' again`,
        'remove one of the files',
      );
    }
    tensors.set(name, decoded.tensor);
  }
  return tensors;
}

function inputFiles(folder: string, fileNames: readonly string[], inputNames: readonly string[]) {
  const files = fileNames.flatMap((fileName) => {
    const position = /^input_(\d+)\.pb$/.exec(fileName)?.[1];
    return position === undefined ? [] : [{ fileName, position: Number(position) }];
  });
  // The data set of a model without inputs holds only outputs.
  if (files.length > 0 || inputNames.length === 0) return files.sort((a, b) => a.position - b.position);
  throw new SlicedInferenceError(
    `tensor folder '${folder}' must have input_0.pb and so on`,
    `${fileNames.length} other files`,
    'name the folder of an ONNX test data set or a tensor file',
  );
}

function nameAt(path: string, position: number, inputNames: readonly string[]): string {
  const name = inputNames.at(position);
  if (name !== undefined) return name;
  throw new SlicedInferenceError(
    `unnamed tensor file '${path}' must have the number of one of the model's ${inputNames.length} inputs`,
    `number ${position}`,
    'name the tensor or renumber the file',
  );
}
