import {
  decodeInlineTensor,
  decodeTensors,
  elementsOf,
  encodeInlineTensor,
  encodeTensors,
  tensorFrom,
  type NumericTensor,
} from '../../client';

describe('client', () => {
  const image = tensorFrom('float32', [1, 2], Float32Array.of(0.5, -1));

  it('encodes tensors as a safetensors object and decodes them again', () => {
    const decoded = decodeTensors(encodeTensors(new Map([['image', image]]))).get('image');
    expect(decoded).toMatchObject({ dtype: 'float32', shape: [1, 2] });
    expect([...elementsOf(decoded as NumericTensor)]).toEqual([0.5, -1]);
  });

  it('encodes a tensor inline and decodes it again', () => {
    const inline = encodeInlineTensor(image);
    expect(inline).toEqual({ dtype: 'float32', shape: [1, 2], base64: 'AAAAPwAAgL8=' });
    expect([...elementsOf(decodeInlineTensor('image', inline) as NumericTensor)]).toEqual([0.5, -1]);
  });

  it('refuses an array with fewer elements than the shape needs', () => {
    expect(() => tensorFrom('float32', [3], Float32Array.of(1))).toThrow(
      'a tensor must have 3 elements for float32[3], got 1: check the shape and the array',
    );
  });
});
