/** Inputs on which a model runs: random ones, for the first sizes of its symbolic dimensions that it accepts. */
import { Session } from '../../lambda/slice/session';
import { elementCount, type RawTensor } from '../../lambda/tensors/tensor';
import { dataTypeName, isBindable } from '../../lib/onnx/data-type';
import { parseModel } from '../../lib/onnx/parse';
import { Random } from '../split/random';

type Tensors = ReadonlyMap<string, RawTensor>;

/** Of the symbolic dimension with which a shape begins, and of all others. */
const SIZES = [
  [1, 32],
  [1, 8],
  [1, 1],
  [8, 8],
  [5, 5],
  [2, 2],
  [1, 256],
  [512, 512],
] as const;

/** The least and the most of integers: many are indexes into tables of unknown length, some are sizes. */
const RANGES = [
  [0, 9],
  [0, 1],
  [0, 0],
  [2, 2],
] as const;

type Range = (typeof RANGES)[number];

/** @throws the error of ONNX Runtime if the model runs on no candidate */
export async function runnableInputs(file: string, seed: number): Promise<Tensors> {
  const session = await Session.open({ path: file, threads: 1 });
  let last: unknown;
  for (const sizes of SIZES) {
    for (const range of RANGES) {
      const inputs = inputsOf(file, sizes, range, new Random(seed));
      try {
        await session.run(inputs, session.outputNames);
        await session.release();
        return inputs;
      } catch (error) {
        last = error;
      }
    }
  }
  throw last;
}

function inputsOf(file: string, [first, others]: readonly number[], range: Range, random: Random): Tensors {
  const { inputs, values } = parseModel(file).graph;
  const leading = new Set(inputs.map(({ type }) => type.shape?.at(0)));
  const required = inputs.filter(({ value }) => values[value].initializer === undefined);
  return new Map(
    required.map(({ value, type: { dataType = 0, shape = [] } }) => {
      const sizes = shape.map((size, axis) => {
        if (typeof size === 'number') return size;
        return axis === 0 || (size !== null && leading.has(size)) ? first : others;
      });
      return [values[value].name, randomTensor(dataTypeName(dataType), sizes, range, random)] as const;
    }),
  );
}

/** Floats from -1 to 1, float16 from 0 to 1, integers of the range. */
function randomTensor(dtype: string, shape: readonly number[], range: Range, random: Random): RawTensor {
  if (!isBindable(dtype)) throw new Error(`inputs must be tensors, got ${dtype}`);
  const length = elementCount(shape);
  const integer = (): number => random.int(range[0], range[1]);
  if (dtype === 'string') return { dtype, shape, strings: Array.from({ length }, () => `word${integer()}`) };
  const integers: Partial<Record<string, () => { readonly buffer: ArrayBuffer }>> = {
    int64: () => BigInt64Array.from({ length }, () => BigInt(integer())),
    int32: () => Int32Array.from({ length }, integer),
    // 0x3c00 is 1.0, and the bit patterns below it are the values from 0 on.
    float16: () => Uint16Array.from({ length }, () => random.int(0, 0x3c00)),
    float64: () => Float64Array.from(random.floats(length, false)),
    bool: () => Uint8Array.from({ length }, () => random.int(0, 1)),
  };
  const made = integers[dtype]?.();
  return { dtype, shape, bytes: made ? new Uint8Array(made.buffer) : random.bytes(dtype, length) };
}
