/**
 * The model of the slices that get requests: it returns its inputs, one of each type and of any shape. The first slice takes every other
 * input, the second one the rest.
 */
import type { SliceManifest } from '../../../contract/slice-manifest';
import { TENSOR_DATA_TYPES, type TensorSpec } from '../../../contract/tensors';
import { node } from '../../support/model-builder';
import { fromRequest, fromSlice, type TinyModel } from '../../support/tiny-slice';

export function echoOf(name: string): string {
  return `same ${name}`;
}

/** Each input has the name of its type. */
const inputs = TENSOR_DATA_TYPES.map((dtype): TensorSpec => ({ name: dtype, dtype, shape: null }));
const taken = [0, 1].map((slice) => inputs.filter((_, index) => index % 2 === slice));
const given = taken.map((specs) => specs.map((spec): TensorSpec => ({ ...spec, name: echoOf(spec.name) })));

/** The first slice's outputs are those of its inputs with these names. */
export const FIRST_ECHOED = taken[0].map(({ name }) => name);

const shared = { version: 1, slices: 2, request: inputs, fixed: ['epsilon'] } as const;

export const MANIFESTS: readonly SliceManifest[] = [
  { ...shared, slice: 0, inputs: taken[0].map(fromRequest), outputs: given[0] },
  {
    ...{ ...shared, slice: 1, inputs: taken[1].map(fromRequest), outputs: given[1] },
    // The last slice reads what the first one has written.
    result: [
      ...given.flatMap((own, slice) => own.map((spec) => fromSlice(spec, slice))),
      fromRequest(inputs[0]),
    ],
  },
];

export const MODELS: readonly TinyModel[] = [0, 1].map((slice) => ({
  nodes: taken[slice].map(({ name }) => node('Identity', [name], [echoOf(name)])),
  inputs: taken[slice],
  outputs: given[slice],
}));
