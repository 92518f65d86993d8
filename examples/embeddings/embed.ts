/** Embeds texts with a pipeline: tokens in, one vector of length 1 for each text out. */
import type { SlicedInferenceClient } from 'cdk-sliced-inference/client';
import type { WordPiece } from './word-piece';

/** The part of the client that is used here. */
export type Model = Pick<SlicedInferenceClient, 'infer'>;

export async function embed(
  model: Model,
  tokenizer: WordPiece,
  texts: readonly string[],
): Promise<number[][]> {
  const { ids, mask } = tokenizer.encode(texts);
  const { outputs } = await model.infer({
    input_ids: ids,
    attention_mask: mask,
    token_type_ids: mask.map((row) => row.map(() => 0)),
  });
  const { shape, data } = outputs.last_hidden_state;
  return mask.map((row, text) => meanOf(Float32Array.from(data as Float32Array), row, text, shape[2]));
}

/**
 * Mean pooling: the mean of a text's token vectors, scaled to the length 1.
 *
 * @param states float32 [texts, tokens, width], in one row
 * @param mask 1 for the tokens that count
 */
export function meanOf(states: Float32Array, mask: readonly number[], text: number, width: number): number[] {
  const sums = new Float64Array(width);
  mask.forEach((counts, token) => {
    const start = (text * mask.length + token) * width;
    if (counts === 1) sums.forEach((sum, at) => (sums[at] = sum + states[start + at]));
  });
  const length = Math.hypot(...sums);
  return Array.from(sums, (sum) => sum / length);
}

/** The cosine of the angle between two vectors of length 1. */
export function similarity(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at], 0);
}
