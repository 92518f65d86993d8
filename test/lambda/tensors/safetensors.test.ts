import * as fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { elementBytes, typedView } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

describe('a safetensors file', () => {
  it('decodes to the tensors that were encoded: all element types, scalars, empty tensors, any name', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        expect(comparable(decodeSafetensors(encodeSafetensors(tensors)))).toEqual(comparable(tensors));
      }),
    );
  });

  it('aligns every tensor to its element size, so that typedView needs no copy', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        const file = encodeSafetensors(tensors);
        for (const tensor of decodeSafetensors(file).values()) {
          if (tensor.dtype === 'string') continue;
          expect(tensor.bytes.byteOffset % elementBytes(tensor.dtype)).toBe(0);
          expect(typedView(tensor).buffer).toBe(file.buffer);
        }
      }),
    );
  });

  it('has the layout of the format', () => {
    const file = encodeSafetensors(
      new Map([
        ['flag', { dtype: 'bool', shape: [1], bytes: Uint8Array.of(1) }],
        ['count', { dtype: 'int16', shape: [], bytes: Uint8Array.of(1, 2) }],
      ]),
    );
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    // The JSON has 114 bytes: the padding ends at the next multiple of 8.
    expect(headerBytes).toBe(120);
    expect(JSON.parse(Buffer.from(file.subarray(8, 8 + headerBytes)).toString())).toEqual({
      count: { dtype: 'I16', shape: [], data_offsets: [0, 2] },
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [2, 3] },
    });
    expect([...file.subarray(8 + headerBytes)]).toEqual([1, 2, 1]);
  });

  it('has string tensors in its metadata', () => {
    const file = encodeSafetensors(new Map([['who', { dtype: 'string', shape: [2], strings: ['a', 'ü'] }]]));
    const header: unknown = JSON.parse(Buffer.from(file.subarray(8)).toString());
    expect(header).toEqual({ __metadata__: { 'string_tensor.who': '{"shape":[2],"data":["a","ü"]}' } });
  });

  it('may have metadata of other programs', () => {
    const json = '{"__metadata__":{"format":"pt"}}';
    const file = Buffer.concat([Buffer.from([json.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(json)]);
    expect(decodeSafetensors(file).size).toBe(0);
  });

  it('is not encoded if the bytes of a tensor do not fit its shape', () => {
    const tensors = new Map([['x', { dtype: 'float32', shape: [2], bytes: new Uint8Array(4) }] as const]);
    expect(() => encodeSafetensors(tensors)).toThrow("tensor 'x' float32[2] must have 8 bytes, got 4");
  });

  it('cannot have a tensor with the name of its metadata', () => {
    const tensors = new Map([
      ['__metadata__', { dtype: 'bool', shape: [0], bytes: new Uint8Array(0) }] as const,
    ]);
    expect(() => encodeSafetensors(tensors)).toThrow("cannot be named '__metadata__'");
  });
});
