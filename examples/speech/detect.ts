/** Calls the pipeline once for each chunk, and carries the model's state from call to call. */
import type { SlicedInferenceClient, TensorInput } from 'cdk-sliced-inference/client';
import { CHUNK, CONTEXT, RATE, STATE_SHAPE } from './chunks';

/** The part of the client that is used here. */
export type Detector = Pick<SlicedInferenceClient, 'infer'>;

/**
 * @param samples of one recording, from -1 to 1
 * @returns the probability of speech in each chunk of 32 ms; silence fills up the last one
 */
export async function speechProbabilities(model: Detector, samples: Float32Array): Promise<number[]> {
  const chunks = Math.ceil(samples.length / CHUNK);
  // The model also sees the end of the chunk before, which is silence at first.
  const padded = new Float32Array(CONTEXT + chunks * CHUNK);
  padded.set(samples, CONTEXT);
  const probabilities: number[] = [];
  let state: TensorInput = { shape: STATE_SHAPE, data: new Float32Array(2 * 128) };
  for (let chunk = 0; chunk < chunks; chunk++) {
    const data = padded.slice(chunk * CHUNK, CONTEXT + (chunk + 1) * CHUNK);
    const { outputs } = await model.infer({ input: { shape: [1, data.length], data }, state, sr: RATE });
    // What the model returns as its state goes into the next call as it is.
    state = outputs.stateN;
    probabilities.push(Number(outputs.output.data[0]));
  }
  return probabilities;
}

export interface Segment {
  /** Both in seconds. */
  readonly start: number;
  readonly end: number;
}

/** Shorter gaps, in seconds, are pauses between syllables. */
const PAUSE = 0.1;

/** Joins chunks that are speech with at least this probability. */
export function speechSegments(probabilities: readonly number[], threshold = 0.5): Segment[] {
  const segments: { start: number; end: number }[] = [];
  probabilities.forEach((probability, chunk) => {
    if (probability < threshold) return;
    const start = (chunk * CHUNK) / RATE;
    const end = ((chunk + 1) * CHUNK) / RATE;
    const last = segments.at(-1);
    if (last !== undefined && start - last.end < PAUSE) last.end = end;
    else segments.push({ start, end });
  });
  return segments;
}
