/** Reads colors between pixels, and scales pictures. */
import { CHANNELS, type Picture } from './picture';

/**
 * The colors at a place, interpolated by cubic convolution between 16 pixels, which keeps small letters sharp. The center of the first
 * pixel is (0, 0). Keys, 1981, with the coefficient that OpenCV has.
 */
export function sampleSharp({ width, height, rgb }: Picture, x: number, y: number): number[] {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [across, down] = [cubicWeights(x - left), cubicWeights(y - top)];
  const color = [0, 0, 0];
  for (let j = 0; j < 4; j++) {
    const row = Math.max(0, Math.min(height - 1, top - 1 + j)) * width;
    for (let i = 0; i < 4; i++) {
      const pixel = (row + Math.max(0, Math.min(width - 1, left - 1 + i))) * CHANNELS;
      const weight = across[i] * down[j];
      for (let channel = 0; channel < CHANNELS; channel++) color[channel] += weight * rgb[pixel + channel];
    }
  }
  return color.map((value) => Math.max(0, Math.min(255, value)));
}

/** Of the pixels at -1, 0, 1 and 2, for a place between 0 and 1. */
function cubicWeights(place: number): readonly number[] {
  const a = -0.75;
  const near = (d: number) => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  const far = (d: number) => a * (d ** 3 - 5 * d ** 2 + 8 * d - 4);
  return [far(1 + place), near(place), near(1 - place), far(2 - place)];
}

/** Scales a picture. It averages pixels first if there are at least twice as many as needed. */
export function scaled(picture: Picture, width: number, height: number): Picture {
  if (picture.width >= 2 * width && picture.height >= 2 * height)
    return scaled(halved(picture), width, height);
  const rgb = new Uint8Array(width * height * CHANNELS);
  for (let y = 0; y < height; y++) {
    const row = ((y + 0.5) * picture.height) / height - 0.5;
    for (let x = 0; x < width; x++) {
      const column = ((x + 0.5) * picture.width) / width - 0.5;
      rgb.set(sampleSharp(picture, column, row).map(Math.round), (y * width + x) * CHANNELS);
    }
  }
  return { width, height, rgb };
}

function halved({ width, height, rgb }: Picture): Picture {
  const half = { width: Math.floor(width / 2), height: Math.floor(height / 2) };
  const averages = new Uint8Array(half.width * half.height * CHANNELS);
  const row = width * CHANNELS;
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        const first = 2 * y * row + 2 * x * CHANNELS + channel;
        const sum = rgb[first] + rgb[first + CHANNELS] + rgb[first + row] + rgb[first + row + CHANNELS];
        averages[(y * half.width + x) * CHANNELS + channel] = Math.round(sum / 4);
      }
    }
  }
  return { ...half, rgb: averages };
}
