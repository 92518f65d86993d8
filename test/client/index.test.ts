import {
  decodeInlineTensor,
  decodeTensors,
  elementsOf,
  encodeInlineTensor,
  encodeTensors,
  tensorFrom,
  type NumericTensor,
} from '../../client';

describe("application code's tensors", () => {
  const image = tensorFrom('float32', [1, 2], Float32Array.of(0.5, -1));

  it('go into an object below inputs/ and come out of a results object', () => {
    const decoded = decodeTensors(encodeTensors(new Map([['image', image]]))).get('image');
    expect(decoded).toMatchObject({ dtype: 'float32', shape: [1, 2] });
    expect([...elementsOf(decoded as NumericTensor)]).toEqual([0.5, -1]);
  });

  it('go inline', () => {
    const inline = encodeInlineTensor(image);
    expect(inline).toEqual({ dtype: 'float32', shape: [1, 2], base64: 'AAAAPwAAgL8=' });
    expect([...elementsOf(decodeInlineTensor('image', inline) as NumericTensor)]).toEqual([0.5, -1]);
  });

  it('must have as many elements as their shape says', () => {
    expect(() => tensorFrom('float32', [3], Float32Array.of(1))).toThrow('float32[3] has 12 bytes, got 4');
  });
});
