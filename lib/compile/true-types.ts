/** Replaces estimated shapes and sizes by those that a profile has measured. */
import type { Model } from '../onnx/model';
import type { PlannedTypes } from '../shapes/planned-types';
import { type DimensionSizes, givenSize, symbolicDimensions, tensorBytes } from '../shapes/value-types';
import type { ModelProfile } from '../compute-time/profile/profile';
import { profiledTypes } from '../compute-time/profile/profiled-model';

/** The sizes of the model's symbolic dimensions in a profile of it. A dimension that was empty has none. */
export function profiledSizes({ graph }: Model, { dimensions }: ModelProfile): DimensionSizes {
  const sizes = symbolicDimensions(graph).map((name) => [name, givenSize(dimensions, name) ?? 0] as const);
  return Object.fromEntries(sizes.filter(([, size]) => size > 0));
}

/** Whether the profile was measured with the sizes of dimensions for which the model is planned. */
export function hasPlannedSizes(profile: ModelProfile, planned: PlannedTypes): boolean {
  return Object.entries(planned.dimensions).every(
    ([name, size]) => givenSize(profile.dimensions, name) === size,
  );
}

/**
 * The estimates stay if the profile was measured with other sizes of dimensions. A size that depends on data becomes the one that
 * the profile has seen, so it is no longer an upper bound.
 *
 * @param profile of this graph
 */
export function trueTypes(model: Model, profile: ModelProfile, planned: PlannedTypes): PlannedTypes {
  if (!hasPlannedSizes(profile, planned)) return planned;
  const types = profiledTypes(model.graph, profile, planned.types);
  const isMeasured = types.map((type, value) => type !== planned.types[value]);
  const elements = types.map(({ shape }, value) =>
    isMeasured[value]
      ? (shape ?? []).reduce<number>((product, size) => product * Number(size), 1)
      : planned.elements[value],
  );
  return {
    ...planned,
    types,
    elements,
    bytes: types.map(({ dtype }, value) =>
      isMeasured[value] ? tensorBytes(dtype, elements[value]) : planned.bytes[value],
    ),
    bounded: planned.bounded.filter((value) => !isMeasured[value]),
  };
}
