import { tensorFrom, type TensorInputs } from '../../../client';
import { arrayMismatch } from '../../../client/tensors/array-kinds';
import { rawTensors } from '../../../client/tensors/to-raw';
import { typedTensors } from '../../../client/tensors/from-raw';
import { TENSOR_DATA_TYPES, type TensorSpec } from '../../../contract/tensors';
import type { NumericDataType, TypedArray } from '../../../lambda/tensors/tensor';

const ARRAYS: Readonly<Record<NumericDataType, TypedArray>> = {
  ...{ float32: new Float32Array(2), float64: new Float64Array(2), float16: new Uint16Array(2) },
  ...{ int8: new Int8Array(2), int16: new Int16Array(2), int32: new Int32Array(2) },
  ...{ int64: new BigInt64Array(2), uint8: new Uint8Array(2), uint16: new Uint16Array(2) },
  ...{ uint32: new Uint32Array(2), uint64: new BigUint64Array(2), bool: new Uint8Array(2) },
};
const NUMERIC = TENSOR_DATA_TYPES.filter((dtype) => dtype !== 'string');

describe('a typed array', () => {
  it.each(NUMERIC)('of every other kind is refused for %s', (dtype) => {
    for (const array of Object.values(ARRAYS)) {
      const isSame = array.constructor === ARRAYS[dtype].constructor;
      expect(arrayMismatch({ dtype, shape: [2] }, array) === undefined).toBe(isSame);
    }
  });

  it.each([
    ['a Float16Array', 'float16', new (namedArray('Float16Array'))(2)],
    ['a Uint8ClampedArray', 'uint8', new Uint8ClampedArray(2)],
    ['a Buffer', 'uint8', Buffer.alloc(2)],
  ] as const)('may be %s for %s', (_kind, dtype, array) => {
    expect(tensorFrom(dtype, [2], array).bytes.byteLength).toBe(array.byteLength);
  });

  it.each([
    ['float32', new Int32Array(2), 'Float32Array, got Int32Array'],
    ['uint8', new DataView(new ArrayBuffer(2)), 'Uint8Array or Uint8ClampedArray, got DataView'],
    ['float32', Buffer.alloc(8), 'Float32Array, got Uint8Array'],
  ] as const)('is refused by tensorFrom if it is of another kind than %s', (dtype, array, message) => {
    expect(() => tensorFrom(dtype, [2], array)).toThrow(
      `a tensor must have the elements of ${dtype}[2] as ${message}: ` +
        'convert the elements, or pass { dtype, shape, bytes } if these are their bytes',
    );
  });
});

/** `Float16Array` exists only from Node.js 24 on. */
function namedArray(name: string) {
  return class extends Uint16Array {
    override get [Symbol.toStringTag](): 'Uint16Array' {
      return name as 'Uint16Array';
    }
  };
}

const SPECS: TensorSpec[] = [
  { name: 'x', dtype: 'float32', shape: ['n', 2] },
  { name: 'ids', dtype: 'int64', shape: null },
];

function refusal(inputs: unknown, specs: readonly TensorSpec[] = SPECS): string {
  try {
    rawTensors(specs, inputs as TensorInputs);
  } catch (error) {
    expect(error).toMatchObject({ name: 'InvalidInput', executionArn: undefined });
    return (error as Error).message;
  }
  return 'accepted';
}

describe('the tensors of a call', () => {
  const x = { shape: [1, 2], data: new Float32Array(2) };

  const form =
    "input 'x' must be a tensor { shape, data }, raw bytes { dtype, shape, bytes } or a nested array, got";
  const pass = 'pass { shape, data } for float32[n,2]';
  const convert = "convert it or check the input's name";

  it.each([
    [{ x }, "input 'ids' int64[...] is missing: the request has 'x'"],
    [{ x, ids: 1, z: 1 }, "the model has no input 'z': it takes 'x', 'ids'"],
    [{ x: [1, 2], ids: 1 }, `input 'x' expects float32[n,2], got float32[2]: ${convert}`],
    [
      { x: { shape: [1, 2], data: new Int32Array(2) }, ids: 1 },
      "input 'x' must be the elements of float32[1,2] as Float32Array, got Int32Array: " +
        'convert the elements, or pass { dtype, shape, bytes } if these are their bytes',
    ],
    [{ x: new Float32Array(2) }, `${form} an array without a shape: ${pass}`],
    [
      { x: { ...x, dtype: 'float' } },
      `'dtype' of input 'x' must be one of ${TENSOR_DATA_TYPES.join(', ')}, got "float": the model takes float32`,
    ],
    [
      { x: { ...x, shape: [1, -2] } },
      "'shape' of input 'x' must be a list of whole numbers from 0 up, got [1,-2]: the model takes float32[n,2]",
    ],
    [
      { x: { ...x, data: [1, 2] } },
      "input 'x' must be the elements of float32[1,2] in a typed array, got a list of length 2: " +
        'pass a nested array without a shape, or a typed array',
    ],
    [
      { x: { dtype: 'float32', shape: [1, 2], bytes: new Uint8Array(7) } },
      "input 'x' must be 8 bytes for float32[1,2], got 7: check the shape and the bytes",
    ],
    [
      [[1, 2]] as never,
      'the inputs must be an object with a tensor for each input, got a list of length 1: pass { name: tensor }',
    ],
  ])('are refused with one clear message: %#', (inputs, message) => {
    expect(refusal(inputs)).toBe(message);
  });

  const cannot = "ONNX Runtime cannot represent tensor 't':";

  it.each<['string' | 'bool', unknown, string]>([
    ['string', { shape: [2], data: ['a'] }, 'in a list of length 2 for string[2], got a list of length 1'],
    ['string', { shape: [1], data: [1] }, 'strings in a list of length 1 for string[1], got another element'],
    ['string', ['a\0'], `${cannot} string 0 has a NUL or a lone surrogate`],
    ['bool', { shape: [1], data: Uint8Array.of(2) }, `${cannot} bool 0 is a byte other than 0 and 1`],
  ])('of %s are refused if they do not fit: %j', (dtype, t, words) => {
    expect(refusal({ t }, [{ name: 't', dtype, shape: ['n'] }])).toContain(words);
  });

  it('may have the names of properties of objects', () => {
    const names = ['__proto__', 'constructor', 'toString', 'then'];
    const specs = names.map((name): TensorSpec => ({ name, dtype: 'float32', shape: [] }));
    const record = Object.fromEntries(names.map((name) => [name, 1]));
    for (const inputs of [record, new Map(Object.entries(record))]) {
      const typed = typedTensors(rawTensors(specs, inputs));
      expect(Object.keys(typed)).toEqual(names);
      expect(typed.__proto__).toEqual({ dtype: 'float32', shape: [], data: Float32Array.of(1) });
    }
    expect(refusal({}, specs)).toBe("input '__proto__' float32[] is missing: the request has no tensors");
  });
});
