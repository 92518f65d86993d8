// Draws examples/ocr/boxes.png: the demo's photo with the boxes that the detection model finds. It needs `npm run build`.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import sharp from 'sharp';

const built = createRequire(new URL('../dist/examples/ocr/', import.meta.url));
const { decodePicture } = built('./picture/decode.js');
const { detectionInput } = built('./detection/detection-input.js');
const { textBoxes } = built('./detection/boxes.js');
const { corners } = built('./detection/rectangle.js');
const { runUnsliced } = built('./unsliced.js');
const { DETECTION_MODEL } = built('./models.js');

const PHOTO = 'examples/ocr/receipt.jpg';
const picture = decodePicture(fs.readFileSync(PHOTO));
const { shape, data } = await runUnsliced(DETECTION_MODEL, 1, detectionInput(picture));
const boxes = textBoxes({ width: shape[3], height: shape[2], values: data }, picture);
const polygons = boxes.map((box) => {
  const points = corners(box).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return `<polygon points="${points.join(' ')}" fill="none" stroke="#d6336c" stroke-width="3"/>`;
});
const { width, height } = picture;
const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${polygons.join('')}</svg>`;
const drawn = await sharp(PHOTO)
  .composite([{ input: Buffer.from(overlay) }])
  .png()
  .toBuffer();
await sharp(drawn)
  .resize({ width: 480 })
  .png({ compressionLevel: 9, palette: true })
  .toFile('examples/ocr/boxes.png');
