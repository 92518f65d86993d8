import * as fc from 'fast-check';
import { TENSOR_DATA_TYPES } from '../../contract/tensors';
import { seededRandom } from '../../local/seeded-random';
import { addSpecialValues } from '../../local/special-values';
import { elementBytes, elementCount, type RawTensor } from '../../lambda/tensors/tensor';

/** Strings that ONNX Runtime receives unchanged: no NUL, no lone surrogates. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));

const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });

/** Tensors of every element type, including scalars and empty tensors. */
export const rawTensor: fc.Arbitrary<RawTensor> = fc
  .record({ dtype: fc.constantFrom(...TENSOR_DATA_TYPES), shape })
  .chain(({ dtype, shape }): fc.Arbitrary<RawTensor> => {
    const count = elementCount(shape);
    if (dtype === 'string') {
      return fc
        .array(text, { minLength: count, maxLength: count })
        .map((strings) => ({ dtype, shape, strings }));
    }
    const length = count * elementBytes(dtype);
    const byte = dtype === 'bool' ? fc.nat({ max: 1 }) : fc.nat({ max: 255 });
    return fc
      .tuple(fc.array(byte, { minLength: length, maxLength: length }), fc.nat())
      .map(([given, seed]) => {
        const bytes = Uint8Array.from(given);
        addSpecialValues(dtype, bytes, 'all', 4, seededRandom(seed));
        return { dtype, shape, bytes };
      });
  });

export const namedTensors: fc.Arbitrary<Map<string, RawTensor>> = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), rawTensor), {
    selector: ([name]) => name,
    maxLength: 6,
  })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')));

/** Tensors sorted by name with plain byte arrays, so that `toEqual` treats views and copies alike. */
export function comparable(tensors: ReadonlyMap<string, RawTensor>): unknown {
  return new Map(
    [...tensors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, tensor]) => [
        name,
        tensor.dtype === 'string' ? tensor : { ...tensor, bytes: [...tensor.bytes] },
      ]),
  );
}
