/** Cuts the lines of text out of a photo: `npx tsx line-pictures.ts receipt.jpg lines/` */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PNG } from 'pngjs';
import { textBoxes } from './detection/boxes';
import { detectionInput } from './detection/detection-input';
import { DETECTION_MODEL } from './models';
import { decodePicture } from './picture/decode';
import { CHANNELS, type Picture } from './picture/picture';
import { linePicture } from './recognition/lines';
import { readingOrder } from './recognition/reading-order';
import { runUnsliced } from './unsliced';

/** PNG files of the lines, in the order in which people read them. */
export async function linePictures(photo: string): Promise<Buffer[]> {
  const picture = decodePicture(fs.readFileSync(photo));
  const map = await runUnsliced(DETECTION_MODEL, 1, detectionInput(picture));
  const [, , height, width] = map.shape;
  const boxes = textBoxes({ width, height, values: map.data }, picture);
  return readingOrder(boxes).map((line) => encodePng(linePicture(picture, boxes[line])));
}

function encodePng({ width, height, rgb }: Picture): Buffer {
  const png = new PNG({ width, height });
  for (let pixel = 0; pixel < width * height; pixel++) {
    png.data.set(rgb.subarray(pixel * CHANNELS, (pixel + 1) * CHANNELS), pixel * 4);
    png.data[pixel * 4 + 3] = 255;
  }
  return PNG.sync.write(png);
}

async function main([photo, folder]: readonly (string | undefined)[]): Promise<void> {
  if (photo === undefined || folder === undefined)
    throw new Error('no photo or no folder: run npx tsx line-pictures.ts receipt.jpg lines/');
  const pictures = await linePictures(photo);
  fs.mkdirSync(folder, { recursive: true });
  pictures.forEach((png, line) => {
    fs.writeFileSync(path.join(folder, `line-${String(line + 1).padStart(3, '0')}.png`), png);
  });
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  });
}
