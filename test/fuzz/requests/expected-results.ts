/** What an accepted request must compute, with as little code of the library as possible. */
import type { InlineTensor } from '../../../contract/execution';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { float16Value } from '../../../lambda/tensors/float16';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { echoOf } from './echo-slice';
import type { ModelName } from './valid-requests';

export type Tensors = ReadonlyMap<string, RawTensor>;

/** Sets an element of a typed array from a JSON number. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

/** @throws if the library should have refused the tensor */
export function decoded({ dtype, shape, base64, data }: InlineTensor): RawTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (base64 === undefined && data?.length !== count) throw new Error('accepted a tensor of another length');
  if (dtype === 'string') return { dtype, shape, strings: data as string[] };
  if (base64 !== undefined) return { dtype, shape, bytes: new Uint8Array(Buffer.from(base64, 'base64')) };
  return { dtype, shape, bytes: encoded(dtype, data as number[]) };
}

function encoded(dtype: Exclude<RawTensor['dtype'], 'string'>, data: readonly number[]): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(data, Number);
  if (dtype === 'float16') return bytesOf(Uint16Array.from(data, nearestFloat16));
  if (dtype === 'int64') return bytesOf(BigInt64Array.from(data, BigInt));
  if (dtype === 'uint64') return bytesOf(BigUint64Array.from(data, BigInt));
  const array = ARRAYS[dtype].from(data);
  const isWhole = dtype.startsWith('float') || data.every((item, index) => item === array[index]);
  if (!isWhole) throw new Error(`accepted a number that ${dtype} does not have`);
  return bytesOf(array);
}

/** All values of float16 from 0 up, in order: their bits are their positions. */
const FLOAT16 = Float64Array.from({ length: 0x7c00 }, (_, bits) => float16Value(bits));

/** Ties to even bits. */
function nearestFloat16(value: number): number {
  const size = Math.abs(value);
  let [low, high] = [0, FLOAT16.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (FLOAT16[middle] <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - FLOAT16[low], FLOAT16[high] - size];
  const bits = below < above || (below === above && low % 2 === 0) ? low : high;
  return (value < 0 || Object.is(value, -0) ? 0x8000 : 0) | bits;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Returns the model's outputs, or `undefined` if the sizes of its inputs do not fit each other. */
export function expectedResults(model: ModelName, inputs: Tensors): Tensors | undefined {
  if (model === 'echo') {
    return new Map(TENSOR_DATA_TYPES.map((dtype) => [echoOf(dtype), named(inputs, dtype)]));
  }
  const late = product(shifted(inputs), floats(named(inputs, 'scale')));
  if (late === undefined) return undefined;
  return new Map([
    ['late', matrix(late)],
    ['early', early(inputs)],
    ['x', named(inputs, 'x')],
  ]);
}

/** Outputs of the first tiny slice. */
export function firstSliceResults(inputs: Tensors): Tensors {
  return new Map([
    ['shifted', matrix(shifted(inputs))],
    ['early', early(inputs)],
  ]);
}

const COLUMNS = 3;

function shifted(inputs: Tensors): Float32Array {
  return floats(named(inputs, 'x')).map((value, index) => value + 10 * ((index % COLUMNS) + 1));
}

function early(inputs: Tensors): RawTensor {
  return matrix(floats(named(inputs, 'x')).map((value) => -value));
}

/** One row is repeated if the other factor has several. */
function product(a: Float32Array, b: Float32Array): Float32Array | undefined {
  const length = a.length === COLUMNS ? b.length : a.length;
  if (b.length !== length && b.length !== COLUMNS) return undefined;
  const at = (factor: Float32Array, index: number): number => factor[index % (factor.length || 1)];
  return Float32Array.from({ length }, (_, index) => at(a, index) * at(b, index));
}

function floats(tensor: RawTensor): Float32Array {
  if (tensor.dtype !== 'float32') throw new Error('accepted a tensor that is not float32');
  const [, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || columns !== COLUMNS) throw new Error('accepted a tensor of another shape');
  return new Float32Array(new Uint8Array(tensor.bytes).buffer);
}

function matrix(values: Float32Array): RawTensor {
  return { dtype: 'float32', shape: [values.length / COLUMNS, COLUMNS], bytes: bytesOf(values) };
}

function named(inputs: Tensors, name: string): RawTensor {
  const tensor = inputs.get(name);
  if (tensor === undefined) throw new Error(`accepted a request without '${name}'`);
  return tensor;
}

/** @throws if the tensors differ. NaNs of float32 are alike, because processors choose their bits. */
export function checkSame(got: Tensors, expected: Tensors): void {
  const names = JSON.stringify([...got.keys()].sort());
  if (names !== JSON.stringify([...expected.keys()].sort())) throw new Error(`results ${names}`);
  for (const [name, tensor] of expected) {
    if (comparable(named(got, name)) !== comparable(tensor)) throw new Error(`a wrong result '${name}'`);
  }
}

function comparable(tensor: RawTensor): string {
  const { dtype, shape } = tensor;
  if (tensor.dtype === 'string') return JSON.stringify([dtype, shape, tensor.strings]);
  const bytes = new Uint8Array(tensor.bytes);
  if (dtype === 'float32') {
    const values = new Float32Array(bytes.buffer);
    values.forEach((value, index) => {
      if (Number.isNaN(value)) values[index] = NaN;
    });
  }
  return JSON.stringify([dtype, shape, Buffer.from(bytes).toString('base64')]);
}
