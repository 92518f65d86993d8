/** Decodes photos in JavaScript alone, so that a function needs no native library of its platform. */
import * as jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { exifOrientation, upright } from './orientation';
import { CHANNELS, type Picture } from './picture';

/** In millions of pixels: more than most phones take. A decoded picture of this size has 200 MB. */
const MAX_MEGAPIXELS = 50;

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** A photo that cannot be read. The name is the error of the execution. */
export class InvalidPhoto extends Error {
  override readonly name = 'InvalidPhoto';
}

/**
 * Decodes a JPEG or a PNG, and turns it as its EXIF data says. Transparent pixels become white.
 * @throws InvalidPhoto if the bytes are neither, are damaged, or have more than 50 million pixels
 */
export function decodePicture(bytes: Uint8Array): Picture {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, 8).equals(PNG_SIGNATURE)) return decodePng(buffer);
  if (buffer[0] === 0xff && buffer[1] === 0xd8) return decodeJpeg(buffer);
  throw new InvalidPhoto(
    `the photo must be a JPEG or a PNG, got ${buffer.byteLength} other bytes: convert it`,
  );
}

function decodePng(bytes: Buffer): Picture {
  checkPngHeader(bytes);
  try {
    const { width, height, data } = PNG.sync.read(bytes);
    return { width, height, rgb: opaque(data, width * height) };
  } catch (error) {
    throw damaged((error as Error).message);
  }
}

/**
 * Checks the size before anything is decoded. The decoder would believe a second header, and would inflate interlaced pixels without a
 * limit. https://www.w3.org/TR/png-3/#11IHDR
 */
function checkPngHeader(bytes: Buffer): void {
  if (bytes.byteLength < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR')
    throw damaged('the header is missing');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > MAX_MEGAPIXELS * 1e6) throw tooLarge(`${width} x ${height}`);
  if (bytes[28] !== 0)
    throw new InvalidPhoto('the photo must not be interlaced, got an interlaced PNG: convert it');
  for (let at = 33; at + 8 <= bytes.byteLength; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IHDR') throw damaged('it has two headers');
  }
}

/** The decoder checks the size in the header, before it decodes. */
function decodeJpeg(bytes: Buffer): Picture {
  try {
    const decoded = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      maxResolutionInMP: MAX_MEGAPIXELS,
      maxMemoryUsageInMB: 1024,
    });
    const { width, height, data, exifBuffer } = decoded as typeof decoded & { exifBuffer?: Uint8Array };
    const picture = { width, height, rgb: data };
    const orientation = exifBuffer ? exifOrientation(exifBuffer) : 1;
    return orientation === 1 ? picture : upright(picture, orientation);
  } catch (error) {
    const { message } = error as Error;
    throw message.startsWith('maxResolutionInMP') ? tooLarge('more') : damaged(message);
  }
}

function tooLarge(got: string): InvalidPhoto {
  return new InvalidPhoto(
    `the photo must have at most ${MAX_MEGAPIXELS} million pixels, got ${got}: make it smaller`,
  );
}

function opaque(rgba: Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * CHANNELS);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const alpha = rgba[pixel * 4 + 3] / 255;
    for (let channel = 0; channel < CHANNELS; channel++) {
      rgb[pixel * CHANNELS + channel] = Math.round(rgba[pixel * 4 + channel] * alpha + 255 * (1 - alpha));
    }
  }
  return rgb;
}

function damaged(reason: string): InvalidPhoto {
  return new InvalidPhoto(
    `the photo must be whole, got one that cannot be decoded (${reason}): send it again`,
  );
}
