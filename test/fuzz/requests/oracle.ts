/** What an accepted request must compute, with as little code of the library as possible. */
import type { ExecutionInput, ExecutionOutputs, InlineTensor } from '../../../contract/execution';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { float16Bits } from '../../../lambda/tensors/float16';
import { elementCount, type RawTensor } from '../../../lambda/tensors/tensor';
import { type NamedTensors, sameTensors } from '../same-tensors';
import { echoOf, FIRST_ECHOED } from './echo-model';
import { STORED_KEY, STORED_TENSORS } from './request-cases';

/** Sets an element of a typed array from a JSON number. */
const ARRAYS = {
  ...{ float32: Float32Array, float64: Float64Array, int8: Int8Array, int16: Int16Array, int32: Int32Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array },
} as const;

/** The tensors of the valid request in S3. */
export const stored = decodedAll(STORED_TENSORS);

/** The tensors of an accepted request. */
export function inputsOf(request: unknown): NamedTensors {
  const { inputs } = request as ExecutionInput;
  if (inputs.s3 === undefined) return decodedAll(inputs.tensors);
  if (inputs.s3 === STORED_KEY) return stored;
  throw new Error(`accepted the key ${inputs.s3}`);
}

/** @throws if the library should have refused a tensor */
export function decodedAll(tensors: ExecutionOutputs['tensors'] = {}): NamedTensors {
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

/** The outputs of the model, and the input that is one. */
export function expectedResults(inputs: NamedTensors): NamedTensors {
  const names = TENSOR_DATA_TYPES;
  const echoed = names.map((name) => [echoOf(name), named(inputs, name)] as const);
  return new Map([...echoed, [names[0], named(inputs, names[0])]]);
}

export function firstSliceResults(inputs: NamedTensors): NamedTensors {
  return new Map(FIRST_ECHOED.map((name) => [echoOf(name), named(inputs, name)]));
}

function named(inputs: NamedTensors, name: string): RawTensor {
  const tensor = inputs.get(name);
  if (tensor === undefined) throw new Error(`accepted a request without '${name}'`);
  return tensor;
}

/** @throws if the tensors differ */
export function checkSame(got: NamedTensors, expected: NamedTensors): void {
  if (!sameTensors(got, expected)) throw new Error(`results ${JSON.stringify([...got.keys()])}`);
}
