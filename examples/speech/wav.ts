/** Reads WAV files of one channel, 16 bits and 16 kHz. */
import { RATE } from './chunks';

/** Bytes before the samples, in the form that most programs write. */
const HEADER_BYTES = 44;
const PCM = 1;

/**
 * Returns samples from -1 to 1.
 * @throws Error of one line if the file is not of this form
 */
export function decodeWav(file: Buffer): Float32Array {
  const isWav = file.length >= HEADER_BYTES && file.toString('latin1', 0, 4) === 'RIFF';
  if (!isWav || file.toString('latin1', 8, 16) !== 'WAVEfmt ')
    throw new Error('the recording must be a WAV file, got other content: convert it to WAV');
  const found = [20, 22, 34].map((at) => file.readUInt16LE(at)).concat(file.readUInt32LE(24));
  if (found.join() !== [PCM, 1, 16, RATE].join())
    throw new Error(
      `the recording must have PCM, 1 channel, 16 bits and ${RATE} Hz, got format ${found[0]}, ${found[1]} channels, ` +
        `${found[2]} bits and ${found[3]} Hz: convert it, such as with ffmpeg -ac 1 -ar ${RATE}`,
    );
  const samples = dataChunk(file);
  return Float32Array.from({ length: samples.length >> 1 }, (_, at) => samples.readInt16LE(2 * at) / 32_768);
}

function dataChunk(file: Buffer): Buffer {
  let at = 12;
  while (at + 8 <= file.length) {
    const start = at + 8;
    const end = start + file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'data') return file.subarray(start, end);
    // Chunks begin at even places.
    at = end + (end % 2);
  }
  throw new Error('the recording must have samples, got no data chunk: convert it to WAV again');
}
