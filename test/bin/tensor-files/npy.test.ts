import * as fc from 'fast-check';
import { decodeNpy, encodeNpy } from '../../../bin/tensor-files/npy';
import { BadContent } from '../../../bin/tensor-files/bad-content';
import { bytesOf, type NumericTensor, type RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

/** @param claimed length of the header as the file has it */
function npy(text: string, data: readonly number[] = [], claimed = text.length, major = 1): Uint8Array {
  const start = Buffer.from(`\x93NUMPY${String.fromCharCode(major)}\0..`, 'latin1');
  start.writeUInt16LE(claimed, start.byteLength - 2);
  return Buffer.concat([start, Buffer.from(text), Buffer.from(data)]);
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
    const bytes = bytesOf(Float32Array.of(0, 1, 2));
    expect(Buffer.from(encodeNpy({ dtype: 'float32', shape: [3], bytes })).equals(saved)).toBe(true);
  });

  it('may have other spacing and quotes in its header', () => {
    const other = npy(`{"shape":(2,1),"descr":"|i1","fortran_order":False}`, [1, 2]);
    expect(decodeNpy(other)).toMatchObject({ dtype: 'int8', shape: [2, 1] });
  });

  it.each<[string, string, string, readonly number[], readonly number[]]>([
    ['a matrix in Fortran order', '|u1', '2, 3', [1, 4, 2, 5, 3, 6], [1, 2, 3, 4, 5, 6]],
    ['wide elements in Fortran order', '<i2', '2, 2', [1, 0, 3, 0, 2, 0, 4, 0], [1, 0, 2, 0, 3, 0, 4, 0]],
  ])('may have %s', (_, description, shape, data, expected) => {
    const tensor = decodeNpy(npy(header(description, shape, 'True'), data));
    expect(tensor).toMatchObject({ shape: shape.split(',').filter(Boolean).map(Number) });
    expect([...(tensor as NumericTensor).bytes]).toEqual(expected);
  });

  it('may have text in Fortran order', () => {
    const data = [0, 0xf6, 1, 0, ...Array<number>(4).fill(0), 0xfc, ...Array<number>(7).fill(0)];
    const file = npy(header('<U1', '2, 2', 'True'), data);
    expect(decodeNpy(file)).toEqual({
      dtype: 'string',
      shape: [2, 2],
      strings: ['\u{1f600}', 'ü', '', ''],
    });
  });

  it('fails only with an error about its content, whichever bits of it flip', () => {
    const files = [
      npy(header('<i4', '2, 3', 'True'), Array<number>(24).fill(7)),
      npy(header('<U2', '2,'), Array<number>(16).fill(0)),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), fc.nat({ max: 255 }), (file, place, byte) => {
        const damaged = Uint8Array.from(file);
        damaged[place % file.byteLength] = byte;
        try {
          decodeNpy(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(BadContent);
        }
      }),
    );
  });

  it('keeps NULs inside strings, and is not written for strings that end with one', () => {
    const inside: RawTensor = { dtype: 'string', shape: [1], strings: ['a\0b'] };
    expect(decodeNpy(encodeNpy(inside))).toEqual(inside);
    expect(() => encodeNpy({ ...inside, strings: ['a\0'] })).toThrow('write .safetensors');
  });

  it.each<[string, Uint8Array, string]>([
    ['that is empty', new Uint8Array(0), 'an .npy array, got other content'],
    ['of an unknown version', npy(header('<f4', ''), [0, 0, 0, 0], 60, 9), 'got version 9.0'],
    ['with a header beyond its end', npy(header('<f4', '')).subarray(0, 40), 'got a truncated one'],
    ['of a structured array', npy(header('', '2,').replace("''", "[('a', '<f4')]")), 'one plain dtype'],
    ['of pickled objects', npy(header('|O', ''), [1]), 'pickled Python objects'],
    ['of bytes', npy(header('|S1', ''), [0x61]), 'got |S1: convert it with x.astype'],
    ['in big-endian order', npy(header('>f4', ''), [0, 0, 0, 0]), 'got >f4'],
    ['with a huge header', npy(header('|u1', ''), [1], 65_535), 'got 65535 bytes'],
    ['cut short inside the length', npy('').subarray(0, 9), 'an .npy array, got other content'],
    ['with a key twice', npy("{'descr': '|u1', 'descr': '|u1', 'shape': ()}", [1]), 'one plain dtype'],
    ['with code in its header', npy("{'descr': __import__('os'), 'shape': ()}", [1]), 'one plain dtype'],
    ['of complex numbers', npy(header('<c8', ''), [1]), 'got <c8'],
    ['with too few elements', npy(header('<i2', '3,'), [1, 2]), 'int16[3], 6 bytes, got 2 bytes'],
    ['of an impossible shape', npy(header('|u1', '99999999999,99999999999')), 'of a valid shape'],
    ['of text beyond Unicode', npy(header('<U1', ''), [0, 0, 0x11, 1]), 'Unicode text'],
    ['of strings cut short', npy(header('<U999999999', '999999'), [0, 0]), 'got 2 bytes'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeNpy(bytes)).toThrow(message);
  });
});
