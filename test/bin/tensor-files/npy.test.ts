import * as fc from 'fast-check';
import { decodeNpy, encodeNpy } from '../../../bin/tensor-files/npy';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

/** An .npy of version 1 with the given header and elements. */
function npy(header: string, data: readonly number[] = [], version = 1): Uint8Array {
  const length = Buffer.from([header.length & 255, header.length >> 8]);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.of(version, 0),
    length,
    Buffer.from(header),
    Buffer.from(data),
  ]);
}

function header(description: string, shape: string, order = 'False'): string {
  return `{'descr': '${description}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
}

describe('an .npy file', () => {
  it('returns every tensor that was encoded', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const decoded = decodeNpy(encodeNpy(tensor));
        expect(comparable(new Map([['x', decoded]]))).toEqual(comparable(new Map([['x', tensor]])));
      }),
    );
  });

  it('is byte for byte what numpy.save writes', () => {
    // numpy.save(f, numpy.arange(3, dtype='f4')), NumPy 2.4
    const saved = Buffer.from(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEA=',
      'base64',
    );
    const tensor: RawTensor = {
      dtype: 'float32',
      shape: [3],
      bytes: new Uint8Array(Float32Array.of(0, 1, 2).buffer),
    };
    expect(Buffer.from(encodeNpy(tensor)).equals(saved)).toBe(true);
  });

  it('may have other spacing, quotes and Python 2 sizes in its header', () => {
    const other = npy(`{"shape":(2L,1),"descr":"|i1","fortran_order":False}`, [1, 2]);
    expect(decodeNpy(other)).toMatchObject({ dtype: 'int8', shape: [2, 1] });
  });

  it('keeps NULs inside strings, and is not written for strings that end with one', () => {
    const inside: RawTensor = { dtype: 'string', shape: [1], strings: ['a\0b'] };
    expect(decodeNpy(encodeNpy(inside))).toEqual(inside);
    expect(() => encodeNpy({ ...inside, strings: ['a\0'] })).toThrow('write .safetensors');
  });

  it.each<[string, Uint8Array, string]>([
    ['that is empty', new Uint8Array(0), 'an .npy array, got other content'],
    ['of other content', Buffer.from('a text file of some length'), 'an .npy array, got other content'],
    ['of an unknown version', npy(header('<f4', ''), [0, 0, 0, 0], 9), 'a truncated one of version 9'],
    ['with a header beyond its end', npy(header('<f4', '')).subarray(0, 40), 'a truncated one of version 1'],
    [
      'of a structured array',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
      'one plain dtype',
    ],
    ['in Fortran order', npy(header('<f4', '1,', 'True'), [0, 0, 0, 0]), 'save numpy.ascontiguousarray(x)'],
    ['in big-endian order', npy(header('>f4', ''), [0, 0, 0, 0]), "save x.astype('<f4')"],
    ['of pickled objects', npy(header('|O', ''), [1]), 'pickled Python objects'],
    ['of bytes', npy(header('|S3', ''), [1, 2, 3]), 'save x.astype(str)'],
    ['of complex numbers', npy(header('<c8', ''), [1]), 'got <c8'],
    ['with too few elements', npy(header('<i2', '3,'), [1, 2]), 'int16[3], 6 bytes, got 2 bytes'],
    ['with too many elements', npy(header('|u1', ''), [1, 2]), 'uint8[], 1 bytes, got 2 bytes'],
    ['of an impossible shape', npy(header('|u1', '99999999999,99999999999')), 'of a valid shape'],
    ['of text beyond Unicode', npy(header('<U1', ''), [0, 0, 0x11, 1]), 'Unicode text'],
    ['of strings cut short', npy(header('<U999999999', '999999'), [0, 0]), 'got 2 bytes'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeNpy(bytes)).toThrow(message);
  });
});
