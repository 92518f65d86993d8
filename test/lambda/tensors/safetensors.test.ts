import * as fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { elementBytes, typedView } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

describe('a safetensors file', () => {
  it('gives back every tensor: all element types, scalars, no elements, any name', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        expect(comparable(decodeSafetensors(encodeSafetensors(tensors)))).toEqual(comparable(tensors));
      }),
    );
  });

  it('has every tensor aligned to its element, so that it can be viewed without a copy', () => {
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

  it('is laid out as the format says', () => {
    const file = encodeSafetensors(
      new Map([
        ['flag', { dtype: 'bool', shape: [1], bytes: Uint8Array.of(1) }],
        ['count', { dtype: 'int16', shape: [], bytes: Uint8Array.of(1, 2) }],
      ]),
    );
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(JSON.parse(Buffer.from(file.subarray(8, 8 + headerBytes)).toString())).toEqual({
      count: { dtype: 'I16', shape: [], data_offsets: [0, 2] },
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [2, 3] },
    });
    expect([...file.subarray(8 + headerBytes)]).toEqual([1, 2, 1]);
  });

  it('keeps strings in its metadata', () => {
    const file = encodeSafetensors(new Map([['who', { dtype: 'string', shape: [2], strings: ['a', 'ü'] }]]));
    const header: unknown = JSON.parse(Buffer.from(file.subarray(8)).toString());
    expect(header).toEqual({ __metadata__: { 'string_tensor.who': '{"shape":[2],"data":["a","ü"]}' } });
  });

  it('ignores the metadata of others', () => {
    const json = '{"__metadata__":{"format":"pt"}}';
    const file = Buffer.concat([Buffer.from([json.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(json)]);
    expect(decodeSafetensors(file).size).toBe(0);
  });

  it('is not made of tensors whose bytes do not fit their shape', () => {
    const tensors = new Map([['x', { dtype: 'float32', shape: [2], bytes: new Uint8Array(4) }] as const]);
    expect(() => encodeSafetensors(tensors)).toThrow("tensor 'x' is float32[2], 8 bytes, but has 4");
  });

  it('cannot hold a tensor with the name of its metadata', () => {
    const tensors = new Map([
      ['__metadata__', { dtype: 'bool', shape: [0], bytes: new Uint8Array(0) }] as const,
    ]);
    expect(() => encodeSafetensors(tensors)).toThrow("cannot be named '__metadata__'");
  });
});
