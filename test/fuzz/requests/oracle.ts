/** What an accepted request must compute, with as little code of the library as possible. */
import type { ExecutionInput, ExecutionOutputs, InlineTensor } from '../../../contract/execution';
import { float16Bits } from '../../../lambda/tensors/float16';
import { elementCount, type RawTensor } from '../../../lambda/tensors/tensor';
import { COLUMNS, ECHOED, echoOf, FIRST_ECHOED } from './echo-model';
import { STORED_KEY, STORED_TENSORS } from './request-cases';

export type Tensors = ReadonlyMap<string, RawTensor>;

/** Sets an element of a typed array from a JSON number. */
const ARRAYS = {
  ...{ float32: Float32Array, float64: Float64Array, int8: Int8Array, int16: Int16Array, int32: Int32Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array },
} as const;

/** The tensors of the valid request in S3. */
export const stored = decodedAll(STORED_TENSORS);

/** The tensors of an accepted request. */
export function inputsOf(request: unknown): Tensors {
  const { inputs } = request as ExecutionInput;
  if (inputs.s3 === undefined) return decodedAll(inputs.tensors);
  if (inputs.s3 === STORED_KEY) return stored;
  throw new Error(`accepted the key ${inputs.s3}`);
}

/** @throws if the library should have refused a tensor */
export function decodedAll(tensors: ExecutionOutputs['tensors'] = {}): Tensors {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decoded(tensor)]));
}

function decoded({ dtype, shape, base64, data }: InlineTensor): RawTensor {
  if (base64 === undefined && data?.length !== elementCount(shape))
    throw new Error('accepted a tensor of another length');
  if (dtype === 'string') return { dtype, shape, strings: data as string[] };
  if (base64 !== undefined) return { dtype, shape, bytes: new Uint8Array(Buffer.from(base64, 'base64')) };
  return { dtype, shape, bytes: encoded(dtype, data as number[]) };
}

function encoded(dtype: Exclude<RawTensor['dtype'], 'string'>, data: readonly number[]): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(data, Number);
  if (dtype === 'float16') return bytesOf(Uint16Array.from(data, float16Bits));
  if (dtype === 'int64') return bytesOf(BigInt64Array.from(data, BigInt));
  if (dtype === 'uint64') return bytesOf(BigUint64Array.from(data, BigInt));
  const array = ARRAYS[dtype].from(data);
  const isExact = dtype.startsWith('float') || data.every((item, index) => item === array[index]);
  if (!isExact) throw new Error(`accepted a number that ${dtype} does not have`);
  return bytesOf(array);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Returns the model's outputs, or `undefined` if the sizes of its inputs do not fit each other. */
export function expectedResults(inputs: Tensors): Tensors | undefined {
  const product = multiplied(floats(named(inputs, 'x')), floats(named(inputs, 'scale')));
  if (product === undefined) return undefined;
  const shape = [product.length / COLUMNS, COLUMNS];
  return new Map<string, RawTensor>([
    ['product', { dtype: 'float32', shape, bytes: bytesOf(product) }],
    ['x', named(inputs, 'x')],
    ...['x', ...ECHOED].map((name) => [echoOf(name), named(inputs, name)] as const),
  ]);
}

export function firstSliceResults(inputs: Tensors): Tensors {
  return new Map(FIRST_ECHOED.map((name) => [echoOf(name), named(inputs, name)]));
}

/** One row is repeated if the other factor has several. */
function multiplied(a: Float32Array, b: Float32Array): Float32Array | undefined {
  const length = a.length === COLUMNS ? b.length : a.length;
  if (b.length !== length && b.length !== COLUMNS) return undefined;
  return Float32Array.from({ length }, (_, index) => a[index % a.length] * b[index % b.length]);
}

function floats(tensor: RawTensor): Float32Array {
  if (tensor.dtype !== 'float32') throw new Error('accepted a tensor that is not float32');
  const [, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || columns !== COLUMNS) throw new Error('accepted a tensor of another shape');
  return new Float32Array(new Uint8Array(tensor.bytes).buffer);
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
  const values = dtype === 'float32' ? new Float32Array(bytes.buffer) : [];
  values.forEach((value, index) => {
    if (Number.isNaN(value)) values[index] = NaN;
  });
  return JSON.stringify([dtype, shape, Buffer.from(bytes).toString('base64')]);
}
