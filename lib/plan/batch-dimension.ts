/** The dimension along which items are stacked: the first one of every input and output. */
import type { TensorSpec } from '../../contract/tensors';
import { SlicedInferenceError, quoted } from '../errors';
import { dimensionName } from '../shapes/value-types';

/**
 * The name of the dimension in `DimensionSizes`. Outputs may name theirs in another way, because models often do.
 *
 * @throws SlicedInferenceError if an input or an output does not begin with a symbolic size, or inputs begin with different ones
 */
export function batchDimension(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): string {
  const first = ({ name, shape }: TensorSpec): string | undefined =>
    shape?.length ? dimensionName(name, 0, shape[0]) : undefined;
  const name = inputs.length === 0 ? undefined : first(inputs[0]);
  const bad =
    inputs.find((spec) => first(spec) === undefined || first(spec) !== name) ??
    // The shape of an output may be unknown.
    outputs.find((spec) => spec.shape !== null && first(spec) === undefined);
  if (name !== undefined && bad === undefined) return name;
  throw new SlicedInferenceError(
    'all inputs and outputs of a model whose items are stacked must begin with the same symbolic size',
    bad === undefined
      ? 'no inputs'
      : `[${bad.shape?.map((size) => size ?? '?').join(',') ?? '...'}] of ${quoted(bad.name)}`,
    'export the model with one batch dimension, or do not stack its items',
  );
}
