/** Decides what a symbolic dimension of an input is: by its name, or else by its position. */
import { type DimensionRole, statedRole } from './dimension-names';
import { type SizedInput, isFloat, isState, isTokens, layoutOf } from './input-layout';
import { dimensionName } from './value-types';

/**
 * The role of dimension `axis` of an input.
 *
 * @param name the name of the dimension in `DimensionSizes`
 * @param inputs all inputs of the model
 */
export function roleOf(
  input: SizedInput,
  axis: number,
  name: string,
  inputs: readonly SizedInput[],
): DimensionRole {
  const stated = statedRole(name);
  const byPosition = layoutOf(input)[axis];
  const role = stated ?? byPosition;
  if (role === 'sequence' && isMaskOfAll(input, name, inputs)) return 'total';
  // In a matrix of floats, a sequence counts samples of sound, unless another input has the tokens.
  const isColumn = input.shape?.length === 2 && axis === 1 && isFloat(input);
  if (stated === undefined) return isColumn && inputs.some(isState) ? 'samples' : role;
  if (isColumn && (role === 'sequence' || role === 'frames') && !inputs.some(isTokens)) return 'samples';
  if (role !== 'frames') return role;
  if (byPosition === 'clip') return 'clip';
  return isFloat(input) ? 'frames' : 'sequence';
}

/** Whether the dimension is the length of a mask of a decoder, which has past tokens too. */
function isMaskOfAll({ name: input }: SizedInput, dimension: string, inputs: readonly SizedInput[]): boolean {
  if (!/mask/i.test(input)) return false;
  const others = inputs.filter(({ name }) => !/mask/i.test(name));
  const names = others.flatMap(({ name, shape }) =>
    (shape ?? []).map((size, axis) => dimensionName(name, axis, size)),
  );
  return (
    !names.includes(dimension) && names.some((name) => name !== undefined && statedRole(name) === 'past')
  );
}
