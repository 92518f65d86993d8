/** Recurrent layers: LSTM, GRU and RNN. */
import { type WorkNode, totalElements } from './node-tensors';
import { productSeconds } from './products';
import { BANDWIDTH, ELEMENT_NS } from './reference-processor';

/** Activations for each element of the state in a step: 3 gates and 2 tangents of an LSTM. */
const ACTIVATIONS = 5;

/**
 * Inputs: `X [steps, batch, inputs]`, `W [directions, gates x hidden, inputs]`, `R [directions, gates x hidden, hidden]`. The
 * product with `W` is one for all steps, the product with `R` is one for each step.
 */
export function recurrentSeconds({ inputs, outputs }: WorkNode): number {
  const [x, w, r] = inputs;
  if (x === undefined || w === undefined || r === undefined) return 0;
  // A quantized layer has its weights transposed: the hidden size is the smaller one.
  const [directions = 1, first = 1, second = 1] = r.shape;
  const hidden = Math.min(first, second);
  const gates = Math.max(first, second);
  const features = x.shape.at(-1) ?? 1;
  const positions = x.elements / Math.max(1, features);
  // With the layout [batch, steps, inputs], steps and batch change places: their product counts.
  const [steps = 1] = x.shape;
  const batch = positions / Math.max(1, steps);
  const fromInputs = productSeconds({
    count: directions,
    rows: positions,
    inner: features,
    columns: gates,
    dtype: w.dtype,
  });
  const fromState = productSeconds({
    count: directions * steps,
    rows: batch,
    inner: hidden,
    columns: gates,
    dtype: r.dtype,
  });
  const activations = positions * directions * hidden * ACTIVATIONS * ELEMENT_NS.vectorized * 1e-9;
  const written = (totalElements(outputs) * 4) / BANDWIDTH.elementwise;
  return fromInputs + fromState + activations + written;
}
