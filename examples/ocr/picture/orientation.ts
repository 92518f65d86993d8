/** Phones store a photo as the sensor saw it, and note in EXIF how to turn it. */
import { CHANNELS, type Picture } from './picture';

const ORIENTATION_TAG = 0x0112;
const ENTRY_BYTES = 12;

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
export function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { width, height, rgb } = picture;
  // Orientations from 5 on exchange width and height.
  const [newWidth, newHeight] = orientation >= 5 ? [height, width] : [width, height];
  const turned = new Uint8Array(rgb.byteLength);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [column, row] = source(orientation, x, y, width, height);
      const from = (row * width + column) * CHANNELS;
      turned.set(rgb.subarray(from, from + CHANNELS), (y * newWidth + x) * CHANNELS);
    }
  }
  return { width: newWidth, height: newHeight, rgb: turned };
}

/** The stored column and row of a shown pixel. */
function source(orientation: number, x: number, y: number, width: number, height: number): [number, number] {
  const [right, bottom] = [width - 1, height - 1];
  switch (orientation) {
    case 2:
      return [right - x, y];
    case 3:
      return [right - x, bottom - y];
    case 4:
      return [x, bottom - y];
    case 5:
      return [y, x];
    case 6:
      return [y, bottom - x];
    case 7:
      return [right - y, bottom - x];
    case 8:
      return [right - y, x];
    default:
      return [x, y];
  }
}
