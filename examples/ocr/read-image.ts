/** Turns a picture of one line of text into the recognition model's input. */
import sharp from 'sharp';
import type { NumericTensor } from 'cdk-sliced-inference/client';

/** The model's fixed height, in pixels. */
const HEIGHT = 48;
/** Pictures narrower than this are padded on the right, as in the model's training. */
const MIN_WIDTH = 320;
/** A line of about 300 characters; a wider picture is more likely a page than a line. */
const MAX_WIDTH = 4096;
const CHANNELS = 3;

/**
 * Reads a picture in any format that sharp supports, scales it to the model's height and normalizes it.
 *
 * @returns float32 [1, 3, 48, width], channels blue, green, red, values from -1 to 1, padding 0
 * @throws Error of one line if the file is not a picture, or too wide for a picture of one line
 */
export async function readLine(file: string): Promise<NumericTensor> {
  const picture = await decode(file);
  if (picture.width > MAX_WIDTH) {
    throw new Error(
      `picture '${file}' must show one line of text, got one ${Math.round(picture.width / HEIGHT)} times as wide as high: cut it into shorter lines`,
    );
  }
  const width = Math.max(MIN_WIDTH, picture.width);
  const pixels = new Float32Array(CHANNELS * HEIGHT * width);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let row = 0; row < HEIGHT; row++) {
      for (let column = 0; column < picture.width; column++) {
        const value = picture.rgb[(row * picture.width + column) * CHANNELS + (CHANNELS - 1 - channel)];
        pixels[(channel * HEIGHT + row) * width + column] = (value / 255 - 0.5) / 0.5;
      }
    }
  }
  return { dtype: 'float32', shape: [1, CHANNELS, HEIGHT, width], bytes: new Uint8Array(pixels.buffer) };
}

async function decode(file: string): Promise<{ rgb: Buffer; width: number }> {
  try {
    const { data, info } = await sharp(file)
      .rotate()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .resize({ height: HEIGHT, kernel: 'linear' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { rgb: data, width: info.width };
  } catch (error) {
    throw new Error(
      `picture '${file}' must be a readable PNG, JPEG or WebP, got: ${(error as Error).message}`,
    );
  }
}
