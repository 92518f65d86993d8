/** How the model wants its audio: https://github.com/snakers4/silero-vad */

/** Samples per second. */
export const RATE = 16_000;
/** New samples of a call: 32 ms. */
export const CHUNK = 512;
/** Samples before them, which the model sees once more. */
export const CONTEXT = 64;

/** Float32 elements of the recurrent state, of shape [2, 1, 128]. */
export const STATE_SHAPE = [2, 1, 128];
