/**
 * The client of a deployed pipeline, handlers of functions before and after a model, and functions that encode and decode tensors. It
 * needs neither CDK nor ONNX Runtime. The guide `docs/requests-and-results.md` explains how to use it.
 *
 * @module cdk-sliced-inference/client
 */
import type { InlineTensor } from '../contract/execution';
import {
  decodeInlineTensor as decodeInline,
  encodeInlineTensor as encodeInline,
} from '../lambda/request/inline-tensor';
import { decodeSafetensors, encodeSafetensors } from '../lambda/tensors/safetensors';
import { typedView, type NumericTensor, type RawTensor, type TypedArray } from '../lambda/tensors/tensor';

export { SlicedInferenceClient } from './sliced-inference-client';
export type {
  BatchItemResult,
  BatchOptions,
  BatchProgress,
  BatchRequest,
  BatchRequests,
  BatchResultRow,
  SlicedInferenceBatchRun,
} from './batch/types';
export { InferenceError, InferenceTimeoutError, type InferenceErrorDetails } from './errors';
export type {
  CallOptions,
  InferOptions,
  PollInterval,
  ResultsPlace,
  SlicedInferenceClientOptions,
  AwsClient,
} from './options';
export type { InferenceProgress, InferenceResult, InvocationResult } from './result';
export type { PipelineDescription, PipelineLimits } from './description/pipeline-description';
export { tensorFrom } from './tensors/array-kinds';
export { toNestedArray } from './tensors/from-raw';
export type {
  ArrayTensor,
  ElementArrays,
  NestedArray,
  TensorInput,
  TensorInputs,
  TypedTensor,
} from './tensors/tensor-forms';
export {
  preprocessHandler,
  writeRequest,
  type HandlerTensor,
  type HandlerTensors,
} from './handlers/preprocess-handler';
export { postprocessHandler, readOutputs, type FinishedRun } from './handlers/postprocess-handler';
export type {
  HandlerContext,
  HandlerOptions,
  ReadOutputsOptions,
  WriteRequestOptions,
} from './handlers/handler-options';
export { parseFailureCause } from './failure-cause';
export { ERROR_NAMES, type ErrorName, type FailureCause } from '../contract/failures';
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
  CallTiming,
  ServedBy,
  SliceTiming,
  WholeTiming,
} from '../contract/execution';
export type {
  BatchFailure,
  BatchFailureCount,
  BatchItemsKind,
  BatchItemsSignature,
  BatchOutput,
  BatchRow,
  BatchSignature,
  BatchUsage,
} from '../contract/batch';
export type { PipelineSignature } from '../contract/signature';
export type { Dimension, TensorDataType, TensorSpec } from '../contract/tensors';
export { SafetensorsError } from '../lambda/tensors/safetensors';
export type {
  NumericDataType,
  NumericTensor,
  RawTensor,
  StringTensor,
  TypedArray,
} from '../lambda/tensors/tensor';

/**
 * Encodes named tensors as a safetensors file, the content of an object below `inputs/`. String tensors are stored in
 * the file's metadata under `string_tensor.<name>`, checksums under `tensor_crc32.<name>` and `header_crc32`.
 * @throws SafetensorsError if a tensor's bytes do not fit its type and shape, or its name is `__metadata__`
 */
export function encodeTensors(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  return encodeSafetensors(tensors);
}

/**
 * Decodes a results object or any other safetensors file. The tensors are views of the file's bytes.
 * @throws SafetensorsError if the bytes are not a safetensors file, have an element type outside `TensorDataType`, or do not
 * have the checksums that the file contains
 */
export function decodeTensors(file: Uint8Array): Map<string, RawTensor> {
  return decodeSafetensors(file);
}

/** Encodes a tensor for `inputs.tensors` of an execution's input. */
export function encodeInlineTensor(tensor: RawTensor): InlineTensor {
  return encodeInline(tensor);
}

/**
 * Decodes a tensor of `outputs.tensors` of an execution's output.
 * @param name the tensor's name, for error messages
 * @throws Error named `InvalidInput` if the elements do not fit the type and shape
 */
export function decodeInlineTensor(name: string, tensor: InlineTensor): RawTensor {
  return decodeInline(name, tensor);
}

/** Returns a tensor's elements: float16 as bits in a `Uint16Array`, bool as 0 and 1 in a `Uint8Array`. */
export function elementsOf(tensor: NumericTensor): TypedArray {
  return typedView(tensor);
}
