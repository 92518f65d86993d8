import { describeTensor } from '../../lambda/tensors/tensor';
import { escaped } from '../../lib/errors';

/** Inputs that a message names. Models with many inputs have similar ones. */
const NAMED_INPUTS = 4;

/** `input_ids int64[1,64], mask int64[1,64]`. */
export function describeInputs(
  inputs: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>,
): string {
  const named = [...inputs]
    .slice(0, NAMED_INPUTS)
    .map(([name, head]) => `${escaped(name)} ${describeTensor(head)}`);
  const others = inputs.size - named.length;
  return [...named, ...(others > 0 ? [`${others} more`] : [])].join(', ');
}
