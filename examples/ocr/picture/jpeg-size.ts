/** Reads the size of a JPEG from its header. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, sections B.1.1 and B.2.2 */

/** Markers from SOF0 to SOF15 begin a frame; these three between them do not. */
const FIRST_FRAME = 0xc0;
const LAST_FRAME = 0xcf;
const OTHERS: readonly number[] = [0xc4, 0xc8, 0xcc];

/** A marker, its length, the precision, the height and the width. */
const FRAME_HEADER_BYTES = 9;

/** Returns the pixels of the first frame; `undefined` if the segments before it are damaged or there is no frame. */
export function jpegSize(bytes: Buffer): { readonly width: number; readonly height: number } | undefined {
  for (let at = 2; at + FRAME_HEADER_BYTES <= bytes.byteLength; at += 2 + bytes.readUInt16BE(at + 2)) {
    // Fill bytes may precede a marker.
    while (bytes[at + 1] === 0xff) at++;
    if (bytes[at] !== 0xff || at + FRAME_HEADER_BYTES > bytes.byteLength) return undefined;
    if (beginsFrame(bytes[at + 1])) {
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    }
  }
  return undefined;
}

function beginsFrame(marker: number): boolean {
  return marker >= FIRST_FRAME && marker <= LAST_FRAME && !OTHERS.includes(marker);
}
