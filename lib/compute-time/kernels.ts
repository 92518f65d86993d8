/** Kernels that read and write more than they compute, and nodes with bodies. */
import { type WorkNode, movedBytes, totalBytes, totalElements } from './node-tensors';
import * as vcpu from './lambda-vcpu';

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
  const nanoseconds = isText ? vcpu.ELEMENT_NS.text : elementNanoseconds(work.node.opType);
  return out.elements * nanoseconds * 1e-9 + memorySeconds(work);
}

/** Extra time of a node whose tensors do not fit the caches. */
export function memorySeconds(work: WorkNode): number {
  const bytes = movedBytes(work);
  return bytes > vcpu.CACHE_BYTES.tensors ? bytes / vcpu.BANDWIDTH.memory : 0;
}

function elementNanoseconds(opType: string): number {
  if (DIVISIONS.has(opType)) return vcpu.ELEMENT_NS.division;
  if (VECTORIZED.has(opType)) return vcpu.ELEMENT_NS.vectorized;
  if (COMPOSED.has(opType)) return vcpu.ELEMENT_NS.composed;
  if (ERROR_FUNCTIONS.has(opType)) return vcpu.ELEMENT_NS.errorFunction;
  if (SLOW.has(opType)) return vcpu.ELEMENT_NS.slow;
  return SCALAR.has(opType) ? vcpu.ELEMENT_NS.scalar : vcpu.ELEMENT_NS.simple;
}

const RESIZING = words('Resize Upsample GridSample RoiAlign');
const GATHERING = words('Transpose GatherElements GatherND ScatterElements ScatterND Scatter');
const SCATTERING = words('DepthToSpace SpaceToDepth');

/** What is written was read before, whatever the size of the input: `Slice` and `Gather` read only what they need. */
export function movementSeconds({ node, outputs }: WorkNode): number {
  const bytes = 2 * totalBytes(outputs);
  const fromMemory = bytes > vcpu.CACHE_BYTES.tensors ? bytes / vcpu.BANDWIDTH.memory : 0;
  if (RESIZING.has(node.opType)) return totalElements(outputs) * vcpu.RESIZE_NS * 1e-9 + fromMemory;
  return bytes / movementRate(node.opType) + fromMemory;
}

function movementRate(opType: string): number {
  if (SCATTERING.has(opType)) return vcpu.BANDWIDTH.scatter;
  return GATHERING.has(opType) ? vcpu.BANDWIDTH.gather : vcpu.BANDWIDTH.copy;
}

export function reductionSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  if (input === undefined) return 0;
  const { opType } = work.node;
  const rows = /Softmax|Hardmax/.test(opType) ? input.elements / Math.max(1, input.shape.at(-1) ?? 1) : 0;
  return (input.elements * nanoseconds(opType) + rows * vcpu.ROW_NS) * 1e-9 + memorySeconds(work);
}

/** The graph's model does not keep the size of the window: windows of each element overlap, others hardly do. */
export function poolingSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  const out = work.outputs.at(0);
  if (input === undefined || out === undefined) return 0;
  const isDense = out.elements >= input.elements;
  const ns = isDense ? vcpu.INPUT_ELEMENT_NS.densePooling : vcpu.INPUT_ELEMENT_NS.pooling;
  return input.elements * ns * 1e-9 + memorySeconds(work);
}

const OF_READING: readonly (readonly [RegExp, number])[] = [
  [/^(TopK|Unique|NonMaxSuppression)$/, vcpu.INPUT_ELEMENT_NS.sorting],
  [/^Arg/, vcpu.INPUT_ELEMENT_NS.search],
  [/^CumSum$/, vcpu.INPUT_ELEMENT_NS.runningSum],
  [/Softmax|Hardmax/, vcpu.INPUT_ELEMENT_NS.softmax],
  [/^BatchNorm/, vcpu.INPUT_ELEMENT_NS.batchNormalization],
  [/^Skip/, vcpu.INPUT_ELEMENT_NS.skipNormalization],
  [/^(Instance|Group)Norm/, vcpu.INPUT_ELEMENT_NS.channelNormalization],
  [/^(Simplified|RMS)/, vcpu.INPUT_ELEMENT_NS.simplifiedNormalization],
  [/Norm/, vcpu.INPUT_ELEMENT_NS.normalization],
  [/^(QLinear)?Global/, vcpu.INPUT_ELEMENT_NS.globalPooling],
];

function nanoseconds(opType: string): number {
  return OF_READING.find(([pattern]) => pattern.test(opType))?.[1] ?? vcpu.INPUT_ELEMENT_NS.reduction;
}

export interface BodySize {
  readonly nodes: number;
  readonly heldBytes: number;
}

/** An `If` runs one of its two bodies, and which one depends on data. */
const BRANCHES = 2;

/**
 * Seconds of one pass over bodies of which no run is known: of an `If`, half of both branches. It reads each weight inside, and each weight of
 * the graph that it uses, once, as a product with one row does; larger batches take longer.
 */
export function bodySeconds(work: WorkNode, { nodes, heldBytes }: BodySize): number {
  const weights = heldBytes + totalBytes(work.captures.filter(({ isWeight }) => isWeight));
  const all = nodes * vcpu.NODE_OVERHEAD + weights / vcpu.BANDWIDTH.weights.memory;
  const pass = work.node.opType === 'If' && work.node.domain === '' ? all / BRANCHES : all;
  return pass + movedBytes(work) / vcpu.BANDWIDTH.copy;
}

/** Seconds of passing values into bodies, and from one pass of a `Loop` to the next. */
export function carryingSeconds(work: WorkNode, passes: number): number {
  const carried = work.node.opType === 'Loop' ? 2 * (passes - 1) * totalBytes(work.inputs) : 0;
  return (movedBytes(work) + carried) / vcpu.BANDWIDTH.copy;
}
