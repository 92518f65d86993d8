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
  const names = inputs.map((spec) => {
    const name = spec.shape?.length ? dimensionName(spec.name, 0, spec.shape[0]) : undefined;
    return name ?? refuse('input', spec);
  });
  for (const spec of outputs) {
    if (spec.shape !== null && (spec.shape.length === 0 || typeof spec.shape[0] === 'number'))
      refuse('output', spec);
  }
  if (names.length === 0) {
    throw new SlicedInferenceError('a model whose items are stacked must have an input', 'none', ADVICE);
  }
  const other = names.findIndex((name) => name !== names[0]);
  if (other < 0) return names[0];
  throw new SlicedInferenceError(
    'all inputs must begin with the same symbolic size to be stacked',
    `${quoted(names[0])} of ${quoted(inputs[0].name)} and ${quoted(names[other])} of ${quoted(inputs[other].name)}`,
    ADVICE,
  );
}

const ADVICE = 'export the model with one batch dimension, or do not stack its items';

function refuse(kind: 'input' | 'output', { name, shape }: TensorSpec): never {
  throw new SlicedInferenceError(
    `${kind} ${quoted(name)} must begin with a symbolic size to be stacked`,
    shape === null ? 'an unknown shape' : `[${shape.map((size) => size ?? '?').join(',')}]`,
    ADVICE,
  );
}
