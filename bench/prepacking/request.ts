/** The inputs that a request to a model must have. */
import type { TensorSpec } from '../../contract/tensors';
import { dataTypeName, isBindable } from '../../lib/onnx/data-type';
import { parseModel } from '../../lib/onnx/parse';

export function requestOf(file: string): TensorSpec[] {
  const { inputs, values } = parseModel(file).graph;
  return inputs.flatMap(({ value, type }) => {
    const { name, initializer } = values[value];
    const dtype = dataTypeName(type.dataType ?? 0);
    if (initializer !== undefined) return [];
    if (!isBindable(dtype)) throw new Error(`input '${name}' must have a type that can be passed`);
    return [{ name, dtype, shape: type.shape ?? [] }];
  });
}
