/** Where a request may have its photo, and how large it may be. */

/** Photos below this prefix may be read, and expire with the requests of the pipelines. */
export const PHOTOS_PREFIX = 'inputs/photos/';

/** Pictures of single lines, the items of the batch. */
export const LINES_PREFIX = 'inputs/lines/';

/**
 * In characters. An execution's input may have 256 KiB, and `Crop lines` also gets the output of the detection:
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MAX_BASE64 = 240 * 1024;

/** In bytes. Phones make smaller ones. */
export const MAX_PHOTO_BYTES = 20 * 2 ** 20;
