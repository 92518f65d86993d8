/** A slice that returns its inputs, one of each type and of any shape. */
import type { SliceManifest } from '../../../contract/slice-manifest';
import type { TensorDataType, TensorSpec } from '../../../contract/tensors';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import type { MemoryObjects } from '../../support/memory-objects';
import { stageModel } from '../../support/tiny-slice';

export function echoOf(dtype: TensorDataType): string {
  return `same ${dtype}`;
}

const inputs = TENSOR_DATA_TYPES.map((dtype): TensorSpec => ({ name: dtype, dtype, shape: null }));
const outputs = inputs.map((spec): TensorSpec => ({ ...spec, name: echoOf(spec.dtype) }));

const MANIFEST: SliceManifest = {
  version: 1,
  slice: 0,
  slices: 1,
  request: inputs,
  fixed: [],
  inputs: inputs.map((spec) => ({ ...spec, source: { from: 'request' } })),
  outputs,
  result: outputs.map((spec) => ({ ...spec, source: { from: 'slice', slice: 0 } })),
};

/** Stages the slice's file and returns the environment variables of its function. */
export function stageEchoSlice(objects: MemoryObjects): Record<string, string> {
  const nodes = inputs.map(({ name, dtype }) => ({
    op: 'Identity',
    inputs: [name],
    outputs: [echoOf(dtype)],
  }));
  return stageModel(objects, 'assets/echo.onnx', { nodes, inputs, outputs }, MANIFEST);
}
