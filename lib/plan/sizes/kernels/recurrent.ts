/** Buffers of recurrent layers. */
import { type WorkNode, totalBytes } from '../../../compute-time/node-tensors';

const FLOAT_BYTES = 4;

/**
 * `LSTM` and `GRU` multiply all steps with their weights first, for both directions. The backward direction also reverses its input
 * and its output. The weights have the shape `[directions, gates * hidden, features]`.
 */
export function gatesScratch({ inputs, outputs }: WorkNode): number {
  const [input, weights] = inputs;
  if (input === undefined || weights?.shape.length !== 3) return 0;
  const [directions = 1, width = 1, features = 1] = weights.shape;
  const products = (input.elements / Math.max(1, features)) * directions * width * FLOAT_BYTES;
  return directions === 2 ? products + input.bytes + totalBytes([outputs.at(0)]) : products;
}

/** `RNN` multiplies all steps with its weights, one direction at a time. */
export function stepsScratch({ inputs }: WorkNode): number {
  const [input, weights] = inputs;
  if (input === undefined || weights?.shape.length !== 3) return 0;
  const [, width = 1, features = 1] = weights.shape;
  return (input.elements / Math.max(1, features)) * width * FLOAT_BYTES;
}
