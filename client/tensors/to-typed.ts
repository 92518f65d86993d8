/** Turns raw tensors into tensors with typed arrays. */
import { typedView, type RawTensor } from '../../lambda/tensors/tensor';
import type { TypedTensor } from './tensor-forms';

/** The elements are a view of the tensor's bytes if these are aligned, otherwise a copy. */
export function toTyped(tensor: RawTensor): TypedTensor {
  const { dtype, shape } = tensor;
  const data = tensor.dtype === 'string' ? tensor.strings : typedView(tensor);
  // The type of the array follows from the element type, which the compiler cannot see here.
  return { dtype, shape, data } as TypedTensor;
}

/** A record without prototype, so that a tensor may be named `__proto__` or `constructor`. */
export function typedTensors(tensors: ReadonlyMap<string, RawTensor>): Record<string, TypedTensor> {
  const record = Object.create(null) as Record<string, TypedTensor>;
  for (const [name, tensor] of tensors) record[name] = toTyped(tensor);
  return record;
}
