/** After the model: its probabilities become the digit that is the most probable. */
import { postprocessHandler } from 'cdk-sliced-inference/client';

export const handler = postprocessHandler(({ probabilities }) => {
  const values = probabilities.data as Float32Array;
  const probability = Math.max(...values);
  return { digit: values.indexOf(probability), probability: Number(probability.toFixed(4)) };
});
