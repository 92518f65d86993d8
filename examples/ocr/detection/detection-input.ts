/** Turns a picture into the input of the detection model. */
import { CHANNELS, type Picture } from '../picture/picture';
import { scaled } from '../picture/sample';

/** Longest side in pixels, as PaddleOCR has it. The functions' memory is planned for it. */
export const MAX_SIDE = 960;

/** The model halves sides five times. */
const MULTIPLE = 32;

/** PaddleOCR's means and deviations, for blue, green and red in this order. */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Sides of the picture that the model sees. */
export function detectionSize({ width, height }: Picture): {
  readonly width: number;
  readonly height: number;
} {
  const ratio = Math.min(1, MAX_SIDE / Math.max(width, height));
  const side = (pixels: number) => Math.max(MULTIPLE, Math.round((pixels * ratio) / MULTIPLE) * MULTIPLE);
  return { width: side(width), height: side(height) };
}

/** Returns float32 [1, 3, height, width]: channels blue, green, red. */
export function detectionInput(picture: Picture): {
  readonly shape: readonly number[];
  readonly data: Float32Array;
} {
  const { width, height } = detectionSize(picture);
  const { rgb } = scaled(picture, width, height);
  const plane = width * height;
  const data = new Float32Array(CHANNELS * plane);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < plane; pixel++) {
      const value = rgb[pixel * CHANNELS + (CHANNELS - 1 - channel)] / 255;
      data[channel * plane + pixel] = (value - MEAN[channel]) / DEVIATION[channel];
    }
  }
  return { shape: [1, CHANNELS, height, width], data };
}
