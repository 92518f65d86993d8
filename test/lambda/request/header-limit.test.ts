import type { TensorSpec } from '../../../contract/tensors';
import { requestHeaderLimit } from '../../../lambda/request/request';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { readHeaderLength } from '../../../lambda/tensors/safetensors-header';
import type { RawTensor } from '../../../lambda/tensors/tensor';

const MIB = 1024 * 1024;
const image: TensorSpec = { name: 'image', dtype: 'float32', shape: [1, 3, 'H', 'W'] };
const text: TensorSpec = { name: 'text', dtype: 'string', shape: ['N'] };

describe('the largest header of a request', () => {
  it('is about a megabyte for a model of numbers, in a function of any size', () => {
    for (const memoryMiB of [128, 10_240]) {
      expect(requestHeaderLimit([image], memoryMiB * MIB)).toBeLessThan(1.01 * MIB);
    }
  });

  it('has room for the names of hundreds of inputs with long names and many axes', () => {
    const names = Array.from({ length: 500 }, (_, index) => `\u0001${'"'.repeat(2_000)}${index}`);
    const tensor: RawTensor = { dtype: 'uint8', shape: Array<number>(100).fill(1), bytes: new Uint8Array(1) };
    const file = encodeSafetensors(new Map(names.map((name) => [name, tensor])));
    const specs = names.map((name): TensorSpec => ({ name, dtype: 'uint8', shape: null }));
    expect(readHeaderLength(file, file.byteLength)).toBeLessThan(requestHeaderLimit(specs, 128 * MIB));
  });

  it('grows with the memory of the function if an input has strings, up to the limit of the format', () => {
    expect(requestHeaderLimit([image, text], 512 * MIB)).toBeGreaterThan(32 * MIB);
    expect(requestHeaderLimit([image, text], 512 * MIB)).toBeLessThan(34 * MIB);
    expect(requestHeaderLimit([text], 10_240 * MIB)).toBe(100_000_000);
  });
});
