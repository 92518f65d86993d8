/** Makes inputs for a model that nobody gave any: seeded, so that they are the same each time. */
import type { TensorSpec } from '../../lambda/contract';
import { elementBytes, elementCount, typedView } from '../../lambda/tensor';
import type { NumericTensor, RawTensor } from '../../lambda/tensor';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { dimensionName } from '../../lib/shapes/value-types';

/**
 * Sizes to try for symbolic dimensions, first and others, in this order: a batch of one with room for images and
 * text first. What a model accepts is written nowhere; the first that runs is used.
 */
const SIZES: readonly (readonly [number, number])[] = [
  [1, 64],
  [1, 8],
  [1, 1],
  [64, 64],
  [8, 8],
  [5, 5],
  [2, 2],
];

/** Integers are drawn below these: many are indexes into tables whose length is written nowhere. */
const INTEGER_BOUNDS = [10, 2, 1];

export function candidateInputs(
  inputs: readonly TensorSpec[],
  dimensions: DimensionSizes,
  seed: number,
): Map<string, RawTensor>[] {
  const isSymbolic = inputs.some(({ name, shape }) =>
    shape?.some(
      (size, axis) => !((dimensionName(name, axis, size) ?? '') in dimensions) && typeof size !== 'number',
    ),
  );
  const hasIntegers = inputs.some(({ dtype }) => /^u?int/.test(dtype));
  const sizes = isSymbolic ? SIZES : SIZES.slice(0, 1);
  const bounds = hasIntegers ? INTEGER_BOUNDS : INTEGER_BOUNDS.slice(0, 1);
  return sizes.flatMap(([first, others]) =>
    bounds.map((bound) => {
      const random = mulberry32(seed);
      return new Map(
        inputs.map(({ name, dtype, shape }) => {
          const concrete = (shape ?? []).map((size, axis) => {
            if (typeof size === 'number') return size;
            return dimensions[dimensionName(name, axis, size) ?? ''] ?? (axis === 0 ? first : others);
          });
          return [name, randomTensor(dtype, concrete, bound, random)];
        }),
      );
    }),
  );
}

/** Floats from 0 to 1, integers from 0 up to the bound, booleans, and short words. */
function randomTensor(
  dtype: TensorSpec['dtype'],
  shape: readonly number[],
  bound: number,
  random: () => number,
): RawTensor {
  const count = elementCount(shape);
  if (dtype === 'string') {
    return {
      dtype,
      shape,
      strings: Array.from({ length: count }, () => `word${Math.floor(random() * bound)}`),
    };
  }
  const tensor: NumericTensor = { dtype, shape, bytes: new Uint8Array(count * elementBytes(dtype)) };
  const elements = typedView(tensor);
  for (let index = 0; index < count; index++) {
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
      elements[index] = BigInt(Math.floor(random() * bound));
    } else if (dtype === 'float16') {
      // 0x3c00 is 1.0: bit patterns below it are the values from 0 to 1.
      elements[index] = Math.floor(random() * 0x3c00);
    } else if (dtype === 'float32' || dtype === 'float64') {
      elements[index] = random();
    } else if (dtype === 'bool') {
      elements[index] = random() < 0.5 ? 0 : 1;
    } else {
      elements[index] = Math.floor(random() * bound);
    }
  }
  return tensor;
}

/** Mulberry32, a small generator of uniform numbers from 0 to 1 with a period of 2^32. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
