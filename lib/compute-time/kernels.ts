/** Kernels that read and write more than they compute, and nodes with bodies. */
import { type WorkNode, movedBytes, totalBytes, totalElements } from './node-tensors';
import {
  BANDWIDTH,
  CACHE_BYTES,
  ELEMENT_NS,
  RESIZE_NS,
  INPUT_ELEMENT_NS,
  ROW_NS,
  NODE_OVERHEAD,
} from './lambda-vcpu';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** `Pow` is nearly always a square or a root; ONNX Runtime recognizes squares, and other powers take ten times as long. */
const DIVISIONS = words(
  'Div Reciprocal HardSigmoid HardSwish Round Mean LeakyRelu Pow Floor Ceil Softsign QuantizeLinear',
);
const VECTORIZED = words('Exp Tanh Sigmoid Swish Sqrt DynamicQuantizeLinear');
const COMPOSED = words('Where FastGelu QuickGelu RotaryEmbedding');
const ERROR_FUNCTIONS = words('Erf Gelu BiasGelu');
const SLOW = words(
  'Log Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Elu Selu Celu Shrink IsNaN IsInf BitShift',
);
const SCALAR = words('Softplus Mish Mod');

export function elementwiseSeconds(work: WorkNode): number {
  const out = work.outputs.at(0);
  if (out === undefined) return 0;
  const isText = work.inputs.some((input) => input?.dtype === 'string');
  const nanoseconds = isText ? ELEMENT_NS.text : elementNanoseconds(work.node.opType);
  return out.elements * nanoseconds * 1e-9 + memorySeconds(work);
}

/** What a node takes longer because its tensors do not stay in the caches. */
export function memorySeconds(work: WorkNode): number {
  const bytes = movedBytes(work);
  return bytes > CACHE_BYTES.tensors ? bytes / BANDWIDTH.memory : 0;
}

function elementNanoseconds(opType: string): number {
  if (DIVISIONS.has(opType)) return ELEMENT_NS.division;
  if (VECTORIZED.has(opType)) return ELEMENT_NS.vectorized;
  if (COMPOSED.has(opType)) return ELEMENT_NS.composed;
  if (ERROR_FUNCTIONS.has(opType)) return ELEMENT_NS.errorFunction;
  if (SLOW.has(opType)) return ELEMENT_NS.slow;
  return SCALAR.has(opType) ? ELEMENT_NS.scalar : ELEMENT_NS.simple;
}

const RESIZING = words('Resize Upsample GridSample RoiAlign');
const GATHERING = words('Transpose GatherElements GatherND ScatterElements ScatterND Scatter');
const SCATTERING = words('DepthToSpace SpaceToDepth');

/** What is written was read before, whatever the size of the input: `Slice` and `Gather` read only what they need. */
export function movementSeconds({ node, outputs }: WorkNode): number {
  const bytes = 2 * totalBytes(outputs);
  const fromMemory = bytes > CACHE_BYTES.tensors ? bytes / BANDWIDTH.memory : 0;
  if (RESIZING.has(node.opType)) return totalElements(outputs) * RESIZE_NS * 1e-9 + fromMemory;
  return bytes / movementRate(node.opType) + fromMemory;
}

function movementRate(opType: string): number {
  if (SCATTERING.has(opType)) return BANDWIDTH.scatter;
  return GATHERING.has(opType) ? BANDWIDTH.gather : BANDWIDTH.copy;
}

export function reductionSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  if (input === undefined) return 0;
  const { opType } = work.node;
  const rows = /Softmax|Hardmax/.test(opType) ? input.elements / Math.max(1, input.shape.at(-1) ?? 1) : 0;
  return (input.elements * nanoseconds(opType) + rows * ROW_NS) * 1e-9 + memorySeconds(work);
}

/** The graph's model does not keep the size of the window: windows of each element overlap, others hardly do. */
export function poolingSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  const out = work.outputs.at(0);
  if (input === undefined || out === undefined) return 0;
  const isDense = out.elements >= input.elements;
  const ns = isDense ? INPUT_ELEMENT_NS.densePooling : INPUT_ELEMENT_NS.pooling;
  return input.elements * ns * 1e-9 + memorySeconds(work);
}

const OF_READING: readonly (readonly [RegExp, number])[] = [
  [/^(TopK|Unique|NonMaxSuppression)$/, INPUT_ELEMENT_NS.sorting],
  [/^Arg/, INPUT_ELEMENT_NS.search],
  [/^CumSum$/, INPUT_ELEMENT_NS.runningSum],
  [/Softmax|Hardmax/, INPUT_ELEMENT_NS.softmax],
  [/^BatchNorm/, INPUT_ELEMENT_NS.batchNormalization],
  [/^Skip/, INPUT_ELEMENT_NS.skipNormalization],
  [/^(Instance|Group)Norm/, INPUT_ELEMENT_NS.channelNormalization],
  [/^(Simplified|RMS)/, INPUT_ELEMENT_NS.simplifiedNormalization],
  [/Norm/, INPUT_ELEMENT_NS.normalization],
  [/^(QLinear)?Global/, INPUT_ELEMENT_NS.globalPooling],
];

function nanoseconds(opType: string): number {
  return OF_READING.find(([pattern]) => pattern.test(opType))?.[1] ?? INPUT_ELEMENT_NS.reduction;
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
  const all = nodes * NODE_OVERHEAD + weights / BANDWIDTH.weights.memory;
  const pass = work.node.opType === 'If' && work.node.domain === '' ? all / BRANCHES : all;
  // Each pass of a `Loop` copies the values that it carries to the next one.
  const carried = work.node.opType === 'Loop' ? 2 * (passes - 1) * totalBytes(work.inputs) : 0;
  return passes * pass + (movedBytes(work) + carried) / BANDWIDTH.copy;
}
