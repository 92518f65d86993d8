/** Phones store a photo as the sensor saw it, and note in EXIF how to turn it. */
import { CHANNELS, type Picture } from './picture';

const ORIENTATION_TAG = 0x0112;
const ENTRY_BYTES = 12;

/** Orientations whose stored columns or rows run the other way. Those from 5 on exchange width and height. */
const MIRRORED_COLUMNS = [2, 3, 7, 8];
const MIRRORED_ROWS = [3, 4, 6, 7];
const FIRST_TURNED = 5;

/**
 * Reads the orientation, from 1 (upright) to 8, of EXIF data. As jpeg-js returns it, one zero precedes the TIFF header.
 * Format: https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E, section 4.6
 */
export function exifOrientation(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const start = 1;
  if (view.byteLength < start + 8) return 1;
  const isLittle = view.getUint16(start) === 0x4949;
  const directory = start + view.getUint32(start + 4, isLittle);
  if (directory + 2 > view.byteLength) return 1;
  const count = view.getUint16(directory, isLittle);
  for (let index = 0; index < count; index++) {
    const entry = directory + 2 + index * ENTRY_BYTES;
    if (entry + ENTRY_BYTES > view.byteLength) return 1;
    if (view.getUint16(entry, isLittle) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(entry + 8, isLittle);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Returns the picture as a viewer shows it. */
export function upright({ width, height, rgb }: Picture, orientation: number): Picture {
  const isTurned = orientation >= FIRST_TURNED;
  const [newWidth, newHeight] = isTurned ? [height, width] : [width, height];
  const turned = new Uint8Array(rgb.byteLength);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      let [column, row] = isTurned ? [y, x] : [x, y];
      if (MIRRORED_COLUMNS.includes(orientation)) column = width - 1 - column;
      if (MIRRORED_ROWS.includes(orientation)) row = height - 1 - row;
      const from = (row * width + column) * CHANNELS;
      turned.set(rgb.subarray(from, from + CHANNELS), (y * newWidth + x) * CHANNELS);
    }
  }
  return { width: newWidth, height: newHeight, rgb: turned };
}
