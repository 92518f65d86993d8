/**
 * The model of the slices that get requests: it returns its inputs, one of each type and of any shape, and the product of `x` and
 * `scale`, which have three columns. The first slice takes every other input, the second one the rest.
 */
import type { SliceManifest, SourcedTensor } from '../../../contract/slice-manifest';
import { TENSOR_DATA_TYPES, type TensorSpec } from '../../../contract/tensors';
import type { TinyModel } from '../../support/tiny-slice';

/** Types of the inputs that are named by their types. */
export const ECHOED = TENSOR_DATA_TYPES.filter((dtype) => dtype !== 'float32');

export function echoOf(name: string): string {
  return `same ${name}`;
}

const x: TensorSpec = { name: 'x', dtype: 'float32', shape: ['N', 3] };
const scale: TensorSpec = { name: 'scale', dtype: 'float32', shape: ['M', 3] };
const product: TensorSpec = { name: 'product', dtype: 'float32', shape: ['N', 3] };
const echoed = ECHOED.map((dtype): TensorSpec => ({ name: dtype, dtype, shape: null }));
const inputsOfSlices = [
  [x, ...echoed.filter((_, index) => index % 2 === 0)],
  echoed.filter((_, index) => index % 2 === 1),
];
const same = inputsOfSlices.map((specs) =>
  specs.map(({ name, dtype }): TensorSpec => ({ name: echoOf(name), dtype, shape: null })),
);
const [[sameX]] = same;
const outputs = [same[0], [product, ...same[1]]];

/** The first slice's outputs are those of its inputs with these names. */
export const FIRST_ECHOED = inputsOfSlices[0].map(({ name }) => name);

const fromRequest = (spec: TensorSpec): SourcedTensor => ({ ...spec, source: { from: 'request' } });
const fromSlice =
  (slice: number) =>
  (spec: TensorSpec): SourcedTensor => ({
    ...spec,
    source: { from: 'slice', slice },
  });

const shared = { version: 1, slices: 2, request: [x, scale, ...echoed], fixed: ['epsilon'] } as const;

export const MANIFESTS: readonly SliceManifest[] = [
  { ...shared, slice: 0, inputs: inputsOfSlices[0].map(fromRequest), outputs: outputs[0] },
  {
    ...shared,
    slice: 1,
    inputs: [fromSlice(0)(sameX), ...[scale, ...inputsOfSlices[1]].map(fromRequest)],
    outputs: outputs[1],
    result: [...outputs.flatMap((own, slice) => own.map(fromSlice(slice))), fromRequest(x)],
  },
];

const echo = ({ name }: TensorSpec) => ({ op: 'Identity', inputs: [name], outputs: [echoOf(name)] });

export const MODELS: readonly TinyModel[] = [
  { nodes: inputsOfSlices[0].map(echo), inputs: inputsOfSlices[0], outputs: outputs[0] },
  {
    nodes: [
      { op: 'Mul', inputs: [sameX.name, 'scale'], outputs: ['product'] },
      ...inputsOfSlices[1].map(echo),
    ],
    inputs: [sameX, scale, ...inputsOfSlices[1]],
    outputs: outputs[1],
  },
];
