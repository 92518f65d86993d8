/** Decodes, turns and scales photos. */
import sharp from 'sharp';
import { decodePicture } from '../../../examples/ocr/picture/decode';
import { jpegSize } from '../../../examples/ocr/picture/jpeg-size';
import { exifOrientation, upright } from '../../../examples/ocr/picture/orientation';
import { sample, scaled } from '../../../examples/ocr/picture/sample';
import type { Picture } from '../../../examples/ocr/picture/picture';

const created = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });

describe('decodePicture', () => {
  test('reads a PNG exactly', async () => {
    const { width, height, rgb } = decodePicture(await created(3, 2, '#ff0080').png().toBuffer());
    expect([width, height, [...rgb.subarray(0, 3)]]).toEqual([3, 2, [255, 0, 128]]);
    expect(rgb).toHaveLength(18);
  });

  test('reads a JPEG', async () => {
    const { width, height, rgb } = decodePicture(await created(16, 8, '#3060c0').jpeg().toBuffer());
    expect([width, height]).toEqual([16, 8]);
    [0x30, 0x60, 0xc0].forEach((value, channel) => {
      expect(Math.abs(rgb[channel] - value)).toBeLessThan(4);
    });
  });

  test('makes transparent pixels white', async () => {
    const png = sharp({
      create: { width: 1, height: 1, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    });
    expect([...decodePicture(await png.png().toBuffer()).rgb]).toEqual([255, 255, 255]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'turns a photo of orientation %i as sharp does',
    async (orientation) => {
      const stored = await sharp({ create: { width: 32, height: 16, channels: 3, background: 'white' } })
        .composite([{ input: await created(8, 8, 'black').png().toBuffer(), left: 0, top: 0 }])
        .jpeg({ quality: 100 })
        .withMetadata({ orientation })
        .toBuffer();
      const { data, info } = await sharp(stored).rotate().raw().toBuffer({ resolveWithObject: true });
      const turned = decodePicture(stored);
      expect([turned.width, turned.height]).toEqual([info.width, info.height]);
      const dark = (pixels: Uint8Array) => Array.from(pixels, (value) => value < 128);
      expect(dark(turned.rgb)).toEqual(dark(data));
    },
  );

  test.each([
    ['text', Buffer.from('hello'), 'the photo must be a JPEG or a PNG, got 5 other bytes: convert it'],
    [
      'a PNG that ends early',
      Buffer.from('89504e470d0a1a0a00', 'hex'),
      /^the photo must be whole, got one that/,
    ],
    [
      'a JPEG that ends early',
      Buffer.from('ffd8ffe0', 'hex'),
      /^the photo must be whole, got one that cannot be/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodePicture(bytes)).toThrow(message);
  });

  test('refuses a PNG of huge sides before it allocates memory', () => {
    const bomb = Buffer.alloc(33);
    bomb.write('89504e470d0a1a0a', 'hex');
    bomb.write('IHDR', 12);
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    expect(() => decodePicture(bomb)).toThrow(
      'the photo must have at most 50 million pixels, got 100000 x 100000: make it smaller',
    );
  });

  test.each([
    ['baseline', {}, 'ffc0'],
    ['progressive', { progressive: true }, 'ffc2'],
  ])('refuses a %s JPEG of too many pixels before it decodes them', async (_, options, frame) => {
    const photo = await created(8, 8, '#fff').jpeg(options).toBuffer();
    const header = photo.indexOf(Buffer.from(frame, 'hex'));
    photo.writeUInt16BE(6000, header + 5);
    photo.writeUInt16BE(8500, header + 7);
    expect(() => decodePicture(photo)).toThrow(
      'the photo must have at most 50 million pixels, got 8500 x 6000: make it smaller',
    );
  });

  test('skips EXIF data and fill bytes before the size of a JPEG', async () => {
    const photo = await created(40, 30, '#fff').jpeg().withMetadata({ orientation: 1 }).toBuffer();
    const filled = Buffer.concat([photo.subarray(0, 2), Buffer.from('ffff', 'hex'), photo.subarray(2)]);
    expect(jpegSize(filled)).toEqual({ width: 40, height: 30 });
  });

  test.each([
    ['nothing after its first marker', ''],
    ['no marker where one belongs', '00'.repeat(20)],
    ['only fill bytes', 'ff'.repeat(20)],
    ['a segment that ends behind the file', `ffe0ffff${'00'.repeat(20)}`],
    ['segments without a length, and no frame', 'ffe00000'.repeat(9)],
    ['a frame that is cut off', 'ffc0000b08'],
  ])('knows no size of a JPEG with %s', (_, hex) => {
    expect(jpegSize(Buffer.from(`ffd8${hex}`, 'hex'))).toBeUndefined();
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

  test('reads orientation 1 from damaged EXIF data', () => {
    for (const length of [0, 6, 13, 20]) expect(exifOrientation(new Uint8Array(length))).toBe(1);
    expect(exifOrientation(Buffer.from('00' + '4949' + '2a00' + 'ffffff7f', 'hex'))).toBe(1);
  });
});

/** A picture whose red is its column and whose green is its row. */
function ramp(width: number, height: number): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb[pixel * 3] = pixel % width;
    rgb[pixel * 3 + 1] = Math.floor(pixel / width);
  }
  return { width, height, rgb };
}

describe('a place between pixels', () => {
  test('has a color between theirs', () => {
    expect(sample(ramp(4, 4), 1.5, 2, 0)).toBe(1.5);
    expect(sample(ramp(4, 4), 1.5, 2.25, 1)).toBe(2.25);
  });

  test('outside of the picture has the color of the border', () => {
    expect([sample(ramp(4, 4), -3, 0, 0), sample(ramp(4, 4), 9, 0, 0)]).toEqual([0, 3]);
  });
});

test('a scaled picture keeps its mean', () => {
  const mean = ({ rgb }: Picture) => rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
  for (const [width, height] of [
    [32, 16],
    [50, 90],
    [7, 5],
  ]) {
    const picture = scaled(ramp(100, 60), width, height);
    expect([picture.width, picture.height]).toEqual([width, height]);
    expect(Math.abs(mean(picture) - mean(ramp(100, 60)))).toBeLessThan(1.5);
  }
});

test('an upright picture stays as it is', () => {
  const picture = ramp(3, 2);
  expect(upright(picture, 1)).toBe(picture);
});
