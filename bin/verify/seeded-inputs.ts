/** Generates inputs for a model from a seed, so that they are the same each time, and describes inputs. */
import type { TensorSpec } from '../../contract/tensors';
import {
  describeTensor,
  elementBytes,
  elementCount,
  typedView,
  type NumericDataType,
  type NumericTensor,
  type RawTensor,
} from '../../lambda/tensors/tensor';
import { type SpecialValues, addSpecialValues } from '../../local/special-values';
import { seededRandom } from '../../local/seeded-random';
import { float16Bits } from '../../lambda/tensors/float16';
import { escaped } from '../../lib/errors';
import { type DimensionSizes, dimensionName, givenSize } from '../../lib/shapes/value-types';

export interface GeneratedInputs {
  readonly specs: readonly TensorSpec[];
  /** Sizes of symbolic dimensions that all inputs must have, by name. */
  readonly dimensions: DimensionSizes;
  /** Sizes of symbolic dimensions to try first: those for which the slices are planned. */
  readonly planned: DimensionSizes;
  readonly seed: number;
}

/**
 * Sizes to try after the planned ones, in this order: the first number for symbolic dimensions that lead a shape, the second for others. A batch
 * of one with room for images and text comes first. Models do not state which sizes they accept, so the first that run
 * are used.
 */
const SIZES: readonly (readonly [number, number])[] = [
  [1, 64],
  [1, 8],
  [1, 1],
  [64, 64],
  [8, 8],
  [5, 5],
  [2, 2],
  [1, 512],
  [512, 512],
  // Audio samples that speech detectors take at 8 and 16 kHz, with and without context.
  [1, 256],
  [1, 288],
  [1, 576],
];

/** Integers are drawn below these bounds, because many are indexes into tables of unknown length. */
const INTEGER_BOUNDS = [10, 2, 1];

/** Numbers of 8 bits. */
const BYTES = 256;

/** Guessed sizes are tried only if all inputs together have at most this many elements: 64^5 would be 2^30. */
const MAX_GUESSED_ELEMENTS = 2 ** 24;

/** Turn a number from 0 to 1 into a float: of both signs first, and then as models take it that compute indexes or logarithms of it. */
const FLOATS: readonly ((random: number) => number)[] = [(random) => 4 * random - 2, (random) => random];

/** The inputs to try, the most plausible first, each generated on demand. */
export function* candidateInputs(generated: GeneratedInputs): Generator<Map<string, RawTensor>> {
  const { specs, dimensions, planned, seed } = generated;
  const hasIntegers = specs.some(({ dtype }) => /^u?int/.test(dtype));
  const bounds = hasIntegers ? INTEGER_BOUNDS : INTEGER_BOUNDS.slice(0, 1);
  const floats = hasFloats(specs) ? FLOATS : FLOATS.slice(0, 1);
  const allShapes = candidateShapes(specs, dimensions, planned);
  // Sums of 8-bit products may be wrong if the integers are large, and only then.
  const areWhole = specs.some(({ dtype }) => isByte(dtype)) ? [true, false] : [false];
  for (const [isWhole, float] of areWhole.flatMap((each) => floats.map((own) => [each, own] as const)))
    for (const shapes of allShapes)
      for (const bound of bounds) {
        const random = seededRandom(seed);
        yield new Map(
          specs.map(({ name, dtype }, index) => [
            name,
            randomTensor(dtype, shapes[index], { float, bound, isWhole }, random),
          ]),
        );
      }
}

function isByte(dtype: string): boolean {
  return dtype === 'uint8' || dtype === 'int8';
}

export function hasFloats(tensors: Iterable<Pick<TensorSpec, 'dtype'>>): boolean {
  return [...tensors].some(({ dtype }) => dtype.startsWith('float'));
}

/** The inputs to try, with a few -0.0 and denormals among the floats. */
export function* candidatesToCompare(generated: GeneratedInputs): Generator<Map<string, RawTensor>> {
  for (const inputs of candidateInputs(generated)) yield withSpecialValues(inputs, 'numbers', generated.seed);
}

/** One of so many floats is -0.0 or denormal in ordinary inputs. */
const NUMBERS_EVERY = 64;
/** Of all special values, a tensor has about so many, and at most a quarter: NaN spreads, and where it is everywhere it proves little. */
const MOST_SPECIAL = 64;

/** The same inputs with special values among the floats, which are the same for the same seed. */
export function withSpecialValues(
  inputs: ReadonlyMap<string, RawTensor>,
  which: SpecialValues,
  seed: number,
): Map<string, RawTensor> {
  const random = seededRandom(seed);
  return new Map(
    [...inputs].map(([name, tensor]): [string, RawTensor] => {
      if (tensor.dtype === 'string') return [name, tensor];
      const bytes = Uint8Array.from(tensor.bytes);
      const every =
        which === 'numbers' ? NUMBERS_EVERY : Math.max(4, elementCount(tensor.shape) / MOST_SPECIAL);
      addSpecialValues(tensor.dtype, bytes, which, every, random);
      return [name, { ...tensor, bytes }];
    }),
  );
}

/** Shapes by candidate, then by input. A named dimension has the same size in all inputs. */
function candidateShapes(
  specs: readonly TensorSpec[],
  dimensions: DimensionSizes,
  planned: DimensionSizes,
): number[][][] {
  const guesses = SIZES.map(([first, others]): Guess => ({
    first,
    others,
    states: others,
    sizes: dimensions,
  }));
  const likely = [
    { ...guesses[0], sizes: { ...planned, ...dimensions } },
    ...guesses,
    ...guesses.map((guess) => ({ ...guess, states: guess.first })),
  ].map((guess) => guessedShapes(specs, guess));
  const different = new Map(likely.map((shapes) => [JSON.stringify(shapes), shapes]));
  const tried = [...different.values()].filter(
    (shapes) => shapes.reduce((sum, shape) => sum + elementCount(shape), 0) <= MAX_GUESSED_ELEMENTS,
  );
  return tried.length > 0
    ? tried
    : [guessedShapes(specs, { first: 1, others: 1, states: 1, sizes: dimensions })];
}

interface Guess {
  /** Of symbolic dimensions that lead a shape, and of the others. */
  readonly first: number;
  readonly others: number;
  /** States of recurrent models are [layers, batch, hidden]: an unnamed dimension after a fixed one may be the batch. */
  readonly states: number;
  /** By name, before any guess. */
  readonly sizes: DimensionSizes;
}

function guessedShapes(specs: readonly TensorSpec[], { first, others, states, sizes }: Guess): number[][] {
  const leading = new Set(specs.map(({ name, shape }) => shape?.length && dimensionName(name, 0, shape[0])));
  return specs.map(({ name, shape }) =>
    (shape ?? []).map((size, axis, { 0: outermost }) => {
      if (typeof size === 'number') return size;
      const symbol = dimensionName(name, axis, size) ?? '';
      const guess = size === null && typeof outermost === 'number' ? states : others;
      return givenSize(sizes, symbol) ?? (leading.has(symbol) ? first : guess);
    }),
  );
}

interface Values {
  readonly float: (random: number) => number;
  /** Integers are below it. */
  readonly bound: number;
  /** Whether integers of 8 bits have their whole range instead. */
  readonly isWhole: boolean;
}

/** Floats, integers from 0 up to the bound, booleans, and short words. */
function randomTensor(
  dtype: TensorSpec['dtype'],
  shape: readonly number[],
  values: Values,
  random: () => number,
): RawTensor {
  const count = elementCount(shape);
  const { bound } = values;
  if (dtype === 'string') {
    return {
      dtype,
      shape,
      strings: Array.from({ length: count }, () => `word${Math.floor(random() * bound)}`),
    };
  }
  const tensor: NumericTensor = { dtype, shape, bytes: new Uint8Array(count * elementBytes(dtype)) };
  const elements = typedView(tensor);
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
    for (let index = 0; index < count; index++) elements[index] = BigInt(Math.floor(random() * bound));
    return tensor;
  }
  const element = numberOf(dtype, values);
  for (let index = 0; index < count; index++) elements[index] = element(random());
  return tensor;
}

/** Returns a function that turns a number from 0 to 1 into an element. */
function numberOf(dtype: NumericDataType, { float, bound, isWhole }: Values): (random: number) => number {
  if (isWhole && isByte(dtype))
    return (random) => Math.floor(random * BYTES) - (dtype === 'int8' ? BYTES / 2 : 0);
  switch (dtype) {
    case 'float32':
    case 'float64':
      return float;
    case 'float16':
      return (random) => float16Bits(float(random));
    case 'bool':
      return (random) => (random < 0.5 ? 0 : 1);
    default:
      return (random) => Math.floor(random * bound);
  }
}

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
