import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors, layoutSafetensors } from '../../../lambda/tensors/safetensors';
import { elementBytes, typedView } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

describe('a safetensors file', () => {
  it('decodes to the tensors that were encoded, aligned so that typedView needs no copy', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        const file = encodeSafetensors(tensors);
        const decoded = decodeSafetensors(file);
        expect(comparable(decoded)).toEqual(comparable(tensors));
        // Computed from the CRC32 of the parts.
        expect(layoutSafetensors(tensors).crc32).toBe(crc32(file));
        for (const tensor of decoded.values()) {
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
    const json = Buffer.from(file.subarray(8, 8 + headerBytes)).toString();
    expect(json.trimEnd()).toHaveLength(220);
    expect(headerBytes).toBe(224);
    expect(JSON.parse(json)).toEqual({
      __metadata__: {
        header_crc32: crc32(json.replace(/"header_crc32":"[0-9a-f]{8}"/, '"header_crc32":"00000000"'))
          .toString(16)
          .padStart(8, '0'),
        'tensor_crc32.count': crc32(Uint8Array.of(1, 2)).toString(16),
        'tensor_crc32.flag': crc32(Uint8Array.of(1)).toString(16),
      },
      count: { dtype: 'I16', shape: [], data_offsets: [0, 2] },
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [2, 3] },
    });
    expect([...file.subarray(8 + headerBytes)]).toEqual([1, 2, 1]);
  });

  it('has string tensors in its metadata', () => {
    const file = encodeSafetensors(new Map([['who', { dtype: 'string', shape: [2], strings: ['a', 'ü'] }]]));
    expect(JSON.parse(Buffer.from(file.subarray(8)).toString())).toMatchObject({
      __metadata__: { 'string_tensor.who': '{"shape":[2],"data":["a","ü"]}' },
    });
  });

  it('is not encoded if the bytes of a tensor do not fit its shape', () => {
    const tensors = new Map([['x', { dtype: 'float32', shape: [2], bytes: new Uint8Array(4) }] as const]);
    expect(() => encodeSafetensors(tensors)).toThrow("tensor 'x' float32[2] must have 8 bytes, got 4");
  });

  it('cannot have a tensor with the name of its metadata', () => {
    const none = { dtype: 'bool', shape: [0], bytes: new Uint8Array(0) } as const;
    expect(() => encodeSafetensors(new Map([['__metadata__', none]]))).toThrow(
      "cannot be named '__metadata__'",
    );
  });
});
