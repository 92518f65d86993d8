/** Embeds texts with a pipeline: tokens in, one vector of length 1 for each text out. */
import type { InferenceResult, SlicedInferenceClient, TypedTensor } from 'cdk-sliced-inference/client';
import type { Tokens, WordPiece } from './word-piece';

/** The part of the client that is used here. */
export type Model = Pick<SlicedInferenceClient, 'describe' | 'infer'>;

/** @throws Error if the model does not return a vector for each token */
export async function embed(
  model: Model,
  tokenizer: WordPiece,
  texts: readonly string[],
): Promise<number[][]> {
  const tokens = tokenizer.encode(texts);
  const { signature } = await model.describe();
  const { outputs } = await model.infer(inputsOf(tokens, signature.inputs));
  return vectorsOf(outputs, tokens.mask);
}

/** The inputs that the model has, because not every export has `token_type_ids`. */
export function inputsOf(
  { ids, mask }: Tokens,
  inputs: readonly { readonly name: string }[],
): Readonly<Record<string, Tokens['ids']>> {
  const tokens: Readonly<Record<string, Tokens['ids']>> = {
    input_ids: ids,
    attention_mask: mask,
    token_type_ids: mask.map((row) => row.map(() => 0)),
  };
  return Object.fromEntries(inputs.map(({ name }) => [name, tokens[name]]));
}

/**
 * A vector for each text.
 *
 * @param mask left out if no text has padding
 * @throws Error if the model does not return a vector for each token
 */
export function vectorsOf(outputs: InferenceResult['outputs'], mask?: Tokens['mask']): number[][] {
  const { shape, data } = tokenVectors(outputs);
  const [texts, tokens, width] = shape;
  const rows = mask ?? Array.from({ length: texts }, () => Array<number>(tokens).fill(1));
  return rows.map((row, text) => meanOf(Float32Array.from(data as Float32Array), row, text, width));
}

/** The output float32 [texts, tokens, width]. Exports of Sentence Transformers name it `token_embeddings`. */
function tokenVectors(outputs: InferenceResult['outputs']): TypedTensor {
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
