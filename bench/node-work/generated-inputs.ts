/** Deterministic inputs of a model: floats from 0 to 1, and integers below a bound. */
import type { TensorSpec } from '../../contract/tensors';
import type { NumericTensor, RawTensor } from '../../lambda/tensors/tensor';
import { elementBytes, elementCount, typedView } from '../../lambda/tensors/tensor';
import { dimensionName } from '../../lib/shapes/value-types';

/** Many integers are indexes into tables of unknown length, so the bounds are tried in turn, as a profile tries them. */
const INTEGER_BOUNDS = [10, 2, 1];

/** The inputs to try, in this order. */
export function* generatedInputs(
  specs: readonly TensorSpec[],
  dimensions: Readonly<Record<string, number>>,
): Generator<Map<string, RawTensor>> {
  for (const bound of INTEGER_BOUNDS) {
    yield new Map(specs.map((spec) => [spec.name, generated(spec, dimensions, bound)]));
  }
}

function generated(
  { name, dtype, shape }: TensorSpec,
  dimensions: Readonly<Record<string, number>>,
  bound: number,
): NumericTensor {
  const sizes = (shape ?? []).map((size, axis) => {
    if (typeof size === 'number') return size;
    const symbol = dimensionName(name, axis, size) ?? '';
    return Object.hasOwn(dimensions, symbol) ? dimensions[symbol] : 1;
  });
  if (dtype === 'string') throw new Error(`input '${name}' is text: pass a file with --inputs`);
  const count = elementCount(sizes);
  const tensor = { dtype, shape: sizes, bytes: new Uint8Array(count * elementBytes(dtype)) };
  const elements = typedView(tensor);
  for (let index = 0; index < count; index++) {
    const number = (index * 7919) % 10;
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
      elements[index] = BigInt(number % bound);
    } else elements[index] = dtype.startsWith('float') ? number / 10 : dtype === 'bool' ? 1 : number % bound;
  }
  return tensor;
}
