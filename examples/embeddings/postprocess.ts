/** After the model, inside its function: token vectors become the answer of the embeddings interface. */
import { postprocessHandler } from 'cdk-sliced-inference/client';
import { ApiError } from './api-error';
import type { CallNotes } from './call-notes';
import { MODEL_NAME } from './embeddings-request';
import { meanOf, tokenVectors } from './pooling';

export const handler = postprocessHandler((outputs, { context }) => {
  const states = tokenVectors(outputs);
  const [texts, tokens, width] = states.shape;
  // An item of a batch has no notes, and one text.
  const notes = (context.call ?? {}) as Partial<CallNotes>;
  const { lengths = Array<number>(texts).fill(tokens), format = 'float', dimensions = width } = notes;
  if (dimensions !== width)
    throw new ApiError(400, `dimensions must be ${width}, got ${dimensions}: leave it out`, {
      param: 'dimensions',
    });
  const data = lengths.map((count, index) => {
    const vector = meanOf(states, index, count);
    return { object: 'embedding', index, embedding: format === 'float' ? [...vector] : base64(vector) };
  });
  const total = lengths.reduce((sum, count) => sum + count, 0);
  const usage = { prompt_tokens: total, total_tokens: total };
  return { object: 'list', data, model: MODEL_NAME, usage };
});

/** The clients ask for float32 in little-endian order, as all processors of Lambda have it. */
function base64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
