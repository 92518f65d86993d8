import type { TensorSpec } from '../../contract/tensors';

/** Sorts outputs in the model's order; the pipeline's files have another order. */
export function sortedByModel<T>(
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const place = new Map(specs.map(({ name }, index) => [name, index]));
  return new Map([...tensors].sort(([a], [b]) => (place.get(a) ?? 0) - (place.get(b) ?? 0)));
}
