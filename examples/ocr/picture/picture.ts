/** A picture in memory. */

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row, from 0 to 255. */
  readonly rgb: Uint8Array;
}

export const CHANNELS = 3;
