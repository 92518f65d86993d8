/**
 * The model of the slices that get requests: it returns its inputs, one of each type and of any shape, and the product of `x` and
 * `scale`, which have three columns. The first slice takes every other input, the second one the rest.
 */
import type { SliceManifest, SourcedTensor } from '../../../contract/slice-manifest';
import { TENSOR_DATA_TYPES, type TensorSpec } from '../../../contract/tensors';
import type { TinyModel } from '../../support/tiny-slice';

/** Types of the inputs that are named by their types. */
export const ECHOED = TENSOR_DATA_TYPES.filter((dtype) => dtype !== 'float32');

export const COLUMNS = 3;

export function echoOf(name: string): string {
  return `same ${name}`;
}

const [x, scale, product] = ['x', 'scale', 'product'].map((name): TensorSpec => ({
  ...{ name, dtype: 'float32', shape: [`rows of ${name}`, COLUMNS] },
}));
const echoed = ECHOED.map((dtype): TensorSpec => ({ name: dtype, dtype, shape: null }));
const [first, second] = [0, 1].map((slice) => echoed.filter((_, index) => index % 2 === slice));
const inputs = [[x, ...first], second];
const same = inputs.map((specs) =>
  specs.map(({ name, dtype }): TensorSpec => ({ name: echoOf(name), dtype, shape: null })),
);
const [[sameX]] = same;
const outputs = [same[0], [product, ...same[1]]];

/** The first slice's outputs are those of its inputs with these names. */
export const FIRST_ECHOED = inputs[0].map(({ name }) => name);

const from = (spec: TensorSpec, source: SourcedTensor['source']): SourcedTensor => ({ ...spec, source });
const fromRequest = (spec: TensorSpec): SourcedTensor => from(spec, { from: 'request' });

const shared = { version: 1, slices: 2, request: [x, scale, ...echoed], fixed: ['epsilon'] } as const;

export const MANIFESTS: readonly SliceManifest[] = [
  { ...shared, slice: 0, inputs: inputs[0].map(fromRequest), outputs: outputs[0] },
  {
    ...shared,
    slice: 1,
    inputs: [from(sameX, { from: 'slice', slice: 0 }), ...[scale, ...second].map(fromRequest)],
    outputs: outputs[1],
    result: [
      ...outputs.flatMap((own, slice) => own.map((spec) => from(spec, { from: 'slice', slice }))),
      fromRequest(x),
    ],
  },
];

const echo = ({ name }: TensorSpec) => ({ op: 'Identity', inputs: [name], outputs: [echoOf(name)] });
const multiply = { op: 'Mul', inputs: [sameX.name, 'scale'], outputs: ['product'] };

export const MODELS: readonly TinyModel[] = [
  { nodes: inputs[0].map(echo), inputs: inputs[0], outputs: outputs[0] },
  { nodes: [multiply, ...second.map(echo)], inputs: [sameX, scale, ...second], outputs: outputs[1] },
];
