/** Buffers of attention as one node. B is the batch, N the heads, S the queries, T the keys, in the shapes below. */
import { totalElements, type WorkNode, type WorkTensor } from '../../../compute-time/node-tensors';

const FLOAT_BYTES = 4;

/** The usual size of an attention head, for a node that does not say how many heads it has. */
const HEAD_SIZE = 64;

/**
 * ONNX Runtime's `Attention` and `QAttention`, which first project the hidden states `[B, S, hidden]` to queries, keys and values.
 * Then they hold the scores `[B, N, S, T]`, a mask `[B, S, T]` unless one for each key suffices, and the result before
 * the heads are joined.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/contrib_ops/cpu/bert/attention.cc
 */
export function projectedAttentionScratch({ node, inputs, outputs }: WorkNode): number {
  const isQuantized = node.opType === 'QAttention';
  const [input, weights] = inputs;
  const mask = inputs.at(isQuantized ? 5 : 3);
  // Past keys and values in one tensor: [2, B, N, T - S, head].
  const past = inputs.at(isQuantized ? 8 : 4)?.shape.at(3) ?? 0;
  if (input === undefined || weights === undefined) return 0;
  const [batch = 1, queries = 1, hidden = 1] = input.shape;
  const projected = batch * queries * (weights.shape.at(-1) ?? 1);
  const pairs = batch * queries * (queries + past);
  const heads = attribute(node, 'num_heads') ?? headsOf(hidden);
  const scores = pairs * (heads + (needsMask(node, mask) ? 1 : 0));
  return FLOAT_BYTES * (projected + scores + totalElements([outputs.at(0)]));
}

/**
 * `MultiHeadAttention` moves the heads of queries, keys and values in front. Without a mask, a bias of scores, past and present it then
 * computes a few scores at a time; otherwise like `Attention`.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/contrib_ops/cpu/bert/multihead_attention.cc
 */
export function multiHeadAttentionScratch({ node, inputs, outputs }: WorkNode): number {
  const [query, key, value, bias, mask, scoreBias, pastKey] = inputs;
  if (query === undefined) return 0;
  // Keys and values of four dimensions have their heads in front already: [B, N, T, head].
  const moved = [query, ...[key, value].filter((tensor) => tensor?.shape.length !== 4)];
  const isTiled =
    [mask, scoreBias, pastKey, ...outputs.slice(1)].every((tensor) => tensor === undefined) &&
    !isCausal(node) &&
    key?.shape.length !== 4;
  const result = totalElements([outputs.at(0)]);
  // With a bias, the sum is in a buffer before its heads are moved.
  if (isTiled) return FLOAT_BYTES * (totalElements(moved) + (bias === undefined ? 0 : result));
  const [batch = 1, queries = 1, hidden = 1] = query.shape;
  const heads = attribute(node, 'num_heads') ?? headsOf(hidden);
  const keys = (key?.shape.at(-2) ?? queries) + (pastKey?.shape.at(-2) ?? 0);
  const scores = batch * queries * keys * (heads + (needsMask(node, mask) ? 1 : 0));
  return FLOAT_BYTES * (totalElements(moved) + scores + result);
}

/**
 * `GroupQueryAttention` moves heads in front, with a second copy if it rotates them, and computes a few scores at a time unless it
 * caps or smoothes them.
 */
export function groupQueryAttentionScratch({ node, inputs, outputs }: WorkNode): number {
  const [query, key, value] = inputs;
  if (query === undefined) return 0;
  const [batch = 1, queries = 1, hidden = 1] = query.shape;
  // Inputs 7 and 8 have the cosines and sines of a rotation.
  const isRotated = inputs.at(7) !== undefined;
  const moved = totalElements([query, key, value]) + (isRotated ? totalElements([query, key]) : 0);
  const hasAllScores =
    (attribute(node, 'softcap') ?? 0) > 0 || (attribute(node, 'smooth_softmax') ?? 0) === 1;
  if (!hasAllScores) return FLOAT_BYTES * moved;
  const keys = outputs.at(1)?.shape.at(-2) ?? queries;
  const heads = attribute(node, 'num_heads') ?? headsOf(hidden);
  return FLOAT_BYTES * (moved + batch * heads * queries * keys);
}

/**
 * ONNX's `Attention` reads queries `[B, S, N * head]` or `[B, N, S, head]` in place. It holds all scores, and a mask in the type of the
 * scores if it is causal or if the given mask has booleans.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/providers/cpu/llm/attention.cc
 */
export function attentionScratch({ node, inputs }: WorkNode): number {
  const [query, key, , mask, pastKey] = inputs;
  if (query === undefined) return 0;
  const [batch = 1] = query.shape;
  const queries = query.shape.at(-2) ?? 1;
  const keys = (key?.shape.at(-2) ?? queries) + (pastKey?.shape.at(-2) ?? 0);
  const heads =
    query.shape.length === 4
      ? (query.shape.at(1) ?? 1)
      : (attribute(node, 'q_num_heads') ?? headsOf(query.shape.at(-1) ?? 1));
  const elementBytes = query.bytes / Math.max(1, query.elements);
  const isHalf = query.dtype === 'float16';
  // In half precision, the scores of one head are converted to floats and back.
  const converted = isHalf ? 2 * queries * keys * FLOAT_BYTES : 0;
  return elementBytes * (batch * heads * queries * keys + copiedMask(node, mask, queries * keys)) + converted;
}

function copiedMask(node: WorkNode['node'], mask: WorkTensor | undefined, pairs: number): number {
  const causal = attribute(node, 'is_causal') === 1;
  if (mask === undefined) return causal ? pairs : 0;
  return causal || mask.dtype === 'bool' ? mask.elements : 0;
}

/** Whether the mask has a row for each query: one for each key is added without a buffer. */
function needsMask(node: WorkNode['node'], mask: WorkTensor | undefined): boolean {
  return isCausal(node) || (mask?.shape.length ?? 0) > 2;
}

function isCausal(node: WorkNode['node']): boolean {
  return attribute(node, 'unidirectional') === 1;
}

function headsOf(hidden: number): number {
  return Math.max(1, Math.round(hidden / HEAD_SIZE));
}

function attribute({ sizeAttributes }: WorkNode['node'], name: string): number | undefined {
  return sizeAttributes?.get(name);
}
