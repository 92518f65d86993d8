/** Token vectors to one vector for each text. */
import type { TypedTensor } from 'cdk-sliced-inference/client';

/** The output float32 [texts, tokens, width]. Exports of Sentence Transformers name it `token_embeddings`. */
export function tokenVectors(outputs: Readonly<Record<string, TypedTensor>>): TypedTensor {
  const name = ['last_hidden_state', 'token_embeddings'].find((known) => known in outputs);
  if (name !== undefined) return outputs[name];
  throw new Error(
    `the model must return last_hidden_state or token_embeddings, got ${Object.keys(outputs).join(', ')}: export it for feature extraction`,
  );
}

/**
 * Mean pooling: the mean of a text's token vectors, scaled to the length 1.
 *
 * @param states float32 [texts, tokens, width], in one row
 * @param count tokens of this text that are no padding
 */
export function meanOf(
  { data, shape: [, tokens, width] }: TypedTensor,
  text: number,
  count: number,
): Float32Array {
  const states = data as Float32Array;
  const sums = new Float64Array(width);
  for (let token = 0; token < count; token++) {
    const start = (text * tokens + token) * width;
    for (let at = 0; at < width; at++) sums[at] += states[start + at];
  }
  const length = Math.hypot(...sums);
  return Float32Array.from(sums, (sum) => sum / length);
}

/** The cosine of the angle between two vectors of length 1. */
export function similarity(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at], 0);
}
