/** Attention as one node: ONNX's `Attention` and the operators that ONNX Runtime contributes. */
import { type WorkNode, movedBytes } from './node-tensors';
import { productSeconds } from './products';
import { BANDWIDTH, INPUT_ELEMENT_NS } from './reference-processor';

/** Operators that first multiply the hidden states with weights. */
const WITH_WEIGHTS = new Set(['Attention', 'QAttention', 'PackedAttention', 'LongformerAttention']);

/** Heads that a shape without a dimension of heads is taken to have: 64 elements each, as in most models. */
const HEAD_SIZE = 64;

/** Inputs are `[batch, sequence, hidden]`, or `[batch, heads, sequence, head]`. */
export function attentionSeconds(work: WorkNode): number {
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
  const scores = productSeconds({ count, rows: sequence, inner: head, columns: keys, dtype });
  const mixed = productSeconds({ count, rows: sequence, inner: keys, columns: head, dtype });
  const softmax = count * sequence * keys * INPUT_ELEMENT_NS.softmax * 1e-9;
  const weights = hasWeights ? inputs.at(1) : undefined;
  const projected =
    weights === undefined
      ? 0
      : productSeconds({
          count: 1,
          rows: batch * sequence,
          inner: hidden,
          columns: weights.shape.at(-1) ?? 1,
          dtype: weights.dtype,
        });
  return projected + scores + softmax + mixed + movedBytes(work) / BANDWIDTH.copy;
}
