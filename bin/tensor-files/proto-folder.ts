/** A folder of ONNX test inputs: `input_0.pb`, `input_1.pb`, … */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
import { readBytes } from './read-bytes';
import { blamingFile } from './tensor-file-error';
import { decodeTensorProto } from './tensor-proto';

/** Each tensor has the name that its file gives, otherwise that of the model's input at its position. */
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
        `tensor file '${path}' must be another input`,
        `'${name}' again`,
        'remove one',
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
  // A model without inputs has a data set of outputs alone.
  if (files.length > 0 || inputNames.length === 0) return files.sort((a, b) => a.position - b.position);
  throw new SlicedInferenceError(
    `tensor folder '${folder}' must have input_0.pb and so on`,
    `${fileNames.length} other files`,
    'give a folder of an ONNX test data set or a tensor file',
  );
}

function nameAt(path: string, position: number, inputNames: readonly string[]): string {
  const name = inputNames.at(position);
  if (name !== undefined) return name;
  throw new SlicedInferenceError(
    `unnamed tensor file '${path}' must be one of the model's ${inputNames.length} inputs by its number`,
    `number ${position}`,
    'give the tensor a name or the file another number',
  );
}
