/** Kernels that read and write more than they compute, and nodes with bodies. */
import { type WorkNode, movedBytes, totalBytes, totalElements } from './node-tensors';
import {
  BANDWIDTH,
  ELEMENT_NS,
  RESIZE_NS,
  INPUT_ELEMENT_NS,
  ROW_NS,
  NODE_OVERHEAD,
} from './reference-processor';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** `Pow` is nearly always a square or a root; ONNX Runtime recognizes squares, and other powers take ten times as long. */
const DIVISIONS = words('Div Reciprocal Sqrt HardSigmoid HardSwish Round Mean LeakyRelu Pow');
const VECTORIZED = words('Erf Exp Tanh Sigmoid Swish Where');
const COMPOSED = words('Gelu FastGelu QuickGelu BiasGelu RotaryEmbedding');
const SLOW = words(
  'Log Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Elu Selu Celu Shrink IsNaN IsInf BitShift Softsign',
);
const SCALAR = words('Softplus Mish Mod');

/** The slower of computing and of reading and writing. */
export function elementwiseSeconds(work: WorkNode): number {
  const out = work.outputs.at(0);
  if (out === undefined) return 0;
  const isText = work.inputs.some((input) => input?.dtype === 'string');
  const nanoseconds = isText ? ELEMENT_NS.text : elementNanoseconds(work.node.opType);
  return Math.max(out.elements * nanoseconds * 1e-9, movedBytes(work) / BANDWIDTH.elementwise);
}

function elementNanoseconds(opType: string): number {
  if (DIVISIONS.has(opType)) return ELEMENT_NS.division;
  if (VECTORIZED.has(opType)) return ELEMENT_NS.vectorized;
  if (COMPOSED.has(opType)) return ELEMENT_NS.composed;
  if (SLOW.has(opType)) return ELEMENT_NS.slow;
  return SCALAR.has(opType) ? ELEMENT_NS.scalar : ELEMENT_NS.simple;
}

const RESIZING = new Set(['Resize', 'Upsample', 'GridSample', 'RoiAlign']);
const REORDERING = new Set(
  'Transpose DepthToSpace SpaceToDepth Gather GatherElements GatherND ScatterElements ScatterND Scatter'.split(
    ' ',
  ),
);

/** What is written was read before, whatever the size of the input: `Slice` and `Gather` read only what they need. */
export function movementSeconds({ node, outputs }: WorkNode): number {
  const bytes = 2 * totalBytes(outputs);
  if (RESIZING.has(node.opType)) return totalElements(outputs) * RESIZE_NS * 1e-9;
  return bytes / (REORDERING.has(node.opType) ? BANDWIDTH.gather : BANDWIDTH.copy);
}

const SORTING = new Set(['TopK', 'Unique', 'NonMaxSuppression']);

export function reductionSeconds(work: WorkNode): number {
  const { node, inputs } = work;
  const input = inputs.at(0);
  if (input === undefined) return 0;
  const { opType } = node;
  const computing = input.elements * nanoseconds(opType) * 1e-9;
  const rows = /Softmax|Hardmax/.test(opType) ? input.elements / Math.max(1, input.shape.at(-1) ?? 1) : 0;
  return Math.max(computing, movedBytes(work) / BANDWIDTH.elementwise) + rows * ROW_NS * 1e-9;
}

/**
 * Pooling. The graph's model does not keep the size of the window; a window is usually as large as its stride or a little
 * larger, so each input element is read about once or twice.
 */
export function poolingSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  if (input === undefined) return 0;
  const computing = input.elements * INPUT_ELEMENT_NS.pooling * 1e-9;
  return Math.max(computing, movedBytes(work) / BANDWIDTH.elementwise);
}

function nanoseconds(opType: string): number {
  if (SORTING.has(opType)) return INPUT_ELEMENT_NS.sorting;
  if (opType === 'BatchNormalization') return INPUT_ELEMENT_NS.batchNormalization;
  if (opType.includes('Norm')) return INPUT_ELEMENT_NS.normalization;
  return /Softmax|Hardmax/.test(opType) ? INPUT_ELEMENT_NS.softmax : INPUT_ELEMENT_NS.reduction;
}

export interface BodySize {
  readonly nodes: number;
  readonly heldBytes: number;
  /** How often these nodes run. @default 1 */
  readonly passes?: number | undefined;
}

/** An `If` runs one of its two bodies, and which one depends on data. */
const BRANCHES = 2;

/**
 * Seconds of the passes over the bodies: as many as a run had, if the trips of a `Loop` or `Scan` are known, and otherwise one. Of an `If`,
 * half of both branches is counted. A pass reads each weight inside, and each weight of the graph that it uses, once, as a
 * product with one row does; larger batches take longer.
 */
export function bodySeconds(work: WorkNode, { nodes, heldBytes, passes = 1 }: BodySize): number {
  const weights = heldBytes + totalBytes(work.captures.filter(({ isWeight }) => isWeight));
  const all = nodes * NODE_OVERHEAD + weights / BANDWIDTH.weights;
  const pass = work.node.opType === 'If' && work.node.domain === '' ? all / BRANCHES : all;
  // Each pass of a `Loop` copies the values that it carries to the next one.
  const carried = work.node.opType === 'Loop' ? 2 * (passes - 1) * totalBytes(work.inputs) : 0;
  return passes * pass + (movedBytes(work) + carried) / BANDWIDTH.copy;
}
