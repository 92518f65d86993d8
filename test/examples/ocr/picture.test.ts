/** Decodes and turns photos. */
import sharp from 'sharp';
import { readPhoto } from '../../../examples/ocr/functions/photo';
import { decodePicture } from '../../../examples/ocr/picture/decode';
import { exifOrientation } from '../../../examples/ocr/picture/orientation';

const created = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });

describe('decodePicture', () => {
  test('makes transparent pixels white', async () => {
    const background = { r: 0, g: 0, b: 0, alpha: 0 };
    const png = sharp({ create: { width: 1, height: 1, channels: 4, background } }).png();
    expect([...decodePicture(await png.toBuffer()).rgb]).toEqual([255, 255, 255]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('turns a JPEG of orientation %i as sharp does', async (orientation) => {
    const stored = await created(32, 16, 'white')
      .composite([{ input: await created(8, 8, 'black').png().toBuffer(), left: 0, top: 0 }])
      .jpeg({ quality: 100 })
      .withMetadata({ orientation })
      .toBuffer();
    const { data, info } = await sharp(stored).rotate().raw().toBuffer({ resolveWithObject: true });
    const turned = decodePicture(stored);
    expect([turned.width, turned.height]).toEqual([info.width, info.height]);
    const dark = (pixels: Uint8Array) => Array.from(pixels, (value) => value < 128);
    expect(dark(turned.rgb)).toEqual(dark(data));
  });

  test('reads orientation 1 from damaged EXIF data', () => {
    for (const length of [0, 6, 13, 20]) expect(exifOrientation(new Uint8Array(length))).toBe(1);
    expect(exifOrientation(Buffer.from('00' + '4949' + '2a00' + 'ffffff7f', 'hex'))).toBe(1);
  });

  test.each([
    ['text', '68656c6c6f', 'the photo must be a JPEG or a PNG, got 5 other bytes: convert it'],
    ['a cut PNG', '89504e470d0a1a0a00', 'the photo must be whole, got one that cannot be decoded'],
    ['a JPEG that ends early', 'ffd8ffe0', 'the photo must be whole, got one that cannot be decoded'],
    [
      'a PNG of huge sides',
      `89504e470d0a1a0a0000000d49484452000186a0000186a0${'00'.repeat(9)}`,
      'must have at most 50 million pixels, got 100000 x 100000: make it smaller',
    ],
  ])('refuses %s', (_, hex, message) => {
    expect(() => decodePicture(Buffer.from(hex, 'hex'))).toThrow(message);
  });

  test.each([
    ['baseline', {}, 'ffc0'],
    ['progressive', { progressive: true }, 'ffc2'],
  ])('refuses a %s JPEG of too many pixels before it decodes them', async (_, options, frame) => {
    const photo = await created(8, 8, '#fff').jpeg(options).toBuffer();
    const header = photo.indexOf(Buffer.from(frame, 'hex'));
    photo.writeUInt16BE(6000, header + 5);
    photo.writeUInt16BE(8500, header + 7);
    expect(() => decodePicture(photo)).toThrow('must have at most 50 million pixels, got more');
  });

  test('refuses a PNG with a second header, which the decoder would believe', async () => {
    const png = await created(300, 200, '#fff').png().toBuffer();
    const small = await created(1, 1, '#fff').png().toBuffer();
    const twice = Buffer.concat([small.subarray(0, 33), png.subarray(8)]);
    expect(() => decodePicture(twice)).toThrow('(it has two headers)');
  });

  test('refuses an interlaced PNG, which the decoder would inflate without a limit', async () => {
    const png = await created(3, 2, '#fff').png({ progressive: true }).toBuffer();
    expect(() => decodePicture(png)).toThrow('the photo must not be interlaced');
  });
});

test.each([
  [{ photo: 'ä' }, 'must be base64, got other characters'],
  [{}, 'must be { "photo": "<base64>" } or { "s3"'],
  [{ s3: 'outputs/x' }, 'must be below inputs/photos/, got another one'],
  [{ s3: 'inputs/photos/../x' }, 'must be below inputs/photos/, got another one'],
  [{ photo: 'A'.repeat(240 * 1024 + 4) }, 'put it into S3 below inputs/photos/'],
])('the request %.40j is refused', async (request, message) => {
  await expect(readPhoto(request)).rejects.toMatchObject({
    name: 'InvalidPhoto',
    message: expect.stringContaining(message) as string,
  });
});
