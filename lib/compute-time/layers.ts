/** Layers that consist of products: recurrent ones, and attention as one node. */
import { memorySeconds } from './kernels';
import * as vcpu from './lambda-vcpu';
import type { WorkNode } from './node-tensors';
import { type Weights, productSeconds } from './products';

/** Activations for each element of the state in a step: 3 gates and 2 tangents of an LSTM. */
const ACTIVATIONS = 5;

/**
 * Inputs: `X [steps, batch, inputs]`, `W [directions, gates x hidden, inputs]`, `R [directions, gates x hidden, hidden]`. The
 * product with `W` is one for all steps, the product with `R` is one for each step.
 */
export function recurrentSeconds({ inputs }: WorkNode, weights: Weights): number {
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
  const fromInputs = productSeconds(
    { count: directions, rows: positions, inner: features, columns: gates, dtype: w.dtype },
    w.isWeight ? weights : 'tensor',
  );
  const fromState = productSeconds(
    { count: directions * steps, rows: batch, inner: hidden, columns: gates, dtype: r.dtype },
    // Each step after the first finds them in the caches.
    r.isWeight ? { ...weights, areCached: true } : 'tensor',
  );
  const activations = positions * directions * hidden * ACTIVATIONS * vcpu.ELEMENT_NS.vectorized * 1e-9;
  return fromInputs + fromState + activations;
}

const WITH_WEIGHTS = new Set(['Attention', 'QAttention', 'PackedAttention', 'LongformerAttention']);

/** Heads that a shape without a dimension of heads is taken to have: 64 elements each, as in most models. */
const HEAD_SIZE = 64;

/** Inputs are `[batch, sequence, hidden]`, or `[batch, heads, sequence, head]`. */
export function attentionSeconds(work: WorkNode, weights: Weights): number {
  const { node, inputs, outputs } = work;
  const query = inputs.at(0);
  const out = outputs.at(0);
  if (query === undefined || out === undefined) return 0;
  const hasWeights = WITH_WEIGHTS.has(node.opType) && node.domain !== '';
  const key = (hasWeights ? query : inputs.at(1)) ?? query;
  const [batch = 1] = query.shape;
  const isSplit = query.shape.length === 4;
  const sequence = query.shape.at(-2) ?? 1;
  const keys = key.shape.at(-2) ?? 1;
  const hidden = query.elements / Math.max(1, batch * sequence);
  const heads = isSplit ? (query.shape.at(1) ?? 1) : Math.max(1, Math.round(hidden / HEAD_SIZE));
  const head = hidden / heads;
  const dtype = query.dtype;
  const count = batch * heads;
  const scores = productSeconds({ count, rows: sequence, inner: head, columns: keys, dtype }, 'tensor');
  const mixed = productSeconds({ count, rows: sequence, inner: keys, columns: head, dtype }, 'tensor');
  const softmax = count * sequence * keys * vcpu.INPUT_ELEMENT_NS.softmax * 1e-9;
  const projection = hasWeights ? inputs.at(1) : undefined;
  const own = scores + softmax + mixed + memorySeconds(work);
  if (projection === undefined) return own;
  const columns = projection.shape.at(-1) ?? 1;
  const projected = { count: 1, rows: batch * sequence, inner: hidden, columns, dtype: projection.dtype };
  return own + productSeconds(projected, projection.isWeight ? weights : 'tensor');
}
