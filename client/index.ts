/** What application code needs to talk to a deployed pipeline: the contract's types and its tensor formats. */
import type { InlineTensor } from '../contract/execution';
import {
  decodeInlineTensor as decodeInline,
  encodeInlineTensor as encodeInline,
} from '../lambda/request/inline-tensor';
import { decodeSafetensors, encodeSafetensors } from '../lambda/tensors/safetensors';
import {
  bytesOf,
  describeTensor,
  elementBytes,
  elementCount,
  typedView,
  type NumericDataType,
  type NumericTensor,
  type RawTensor,
  type TypedArray,
} from '../lambda/tensors/tensor';

export { ERROR_NAMES } from '../contract/failures';
export { INPUTS_PREFIX, OUTPUTS_PREFIX } from '../contract/keys';
export { CONTRACT_VERSION } from '../contract/version';
export type {
  ExecutionInput,
  ExecutionInputs,
  ExecutionOutput,
  ExecutionOutputs,
  InlineMode,
  InlineTensor,
  ObjectReference,
  SliceTiming,
} from '../contract/execution';
export type { ErrorName, FailureCause } from '../contract/failures';
export type { TensorDataType } from '../contract/tensors';
export { SafetensorsError } from '../lambda/tensors/safetensors';
export type {
  NumericDataType,
  NumericTensor,
  RawTensor,
  StringTensor,
  TypedArray,
} from '../lambda/tensors/tensor';

/**
 * The content of an object below `inputs/`: a safetensors file of the named tensors. String tensors are in its
 * metadata, under `string_tensor.<name>`.
 */
export function encodeTensors(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  return encodeSafetensors(tensors);
}

/**
 * The tensors of a results object or any other safetensors file, as views of its bytes.
 * @throws SafetensorsError when the bytes are not one or hold an element type beyond `TensorDataType`.
 */
export function decodeTensors(file: Uint8Array): Map<string, RawTensor> {
  return decodeSafetensors(file);
}

/** A tensor for `inputs.tensors` of an execution's input. */
export function encodeInlineTensor(tensor: RawTensor): InlineTensor {
  return encodeInline(tensor);
}

/**
 * A tensor of `outputs.tensors` of an execution's output. `name` is the one it has there; errors say it.
 * @throws Error named `InvalidInput` when the elements do not fit the type and shape.
 */
export function decodeInlineTensor(name: string, tensor: InlineTensor): RawTensor {
  return decodeInline(name, tensor);
}

/**
 * A tensor of a typed array's elements, without a copy. float16 takes a `Float16Array` or its bits in a
 * `Uint16Array`, bool a `Uint8Array` of 0 and 1.
 * @param shape sizes whose product is the number of elements; `[]` for a scalar
 * @throws RangeError when the elements are not as many bytes as type and shape need
 */
export function tensorFrom(
  dtype: NumericDataType,
  shape: readonly number[],
  elements: ArrayBufferView,
): NumericTensor {
  const expected = elementCount(shape) * elementBytes(dtype);
  if (elements.byteLength !== expected) {
    const what = describeTensor({ dtype, shape });
    throw new RangeError(
      `a tensor ${what} has ${expected} bytes, got ${elements.byteLength}: check its shape and type`,
    );
  }
  return { dtype, shape, bytes: bytesOf(elements) };
}

/** A tensor's elements: float16 as bits in a `Uint16Array`, bool as 0 and 1 in a `Uint8Array`. */
export function elementsOf(tensor: NumericTensor): TypedArray {
  return typedView(tensor);
}
