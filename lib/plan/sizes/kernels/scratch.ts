/**
 * The temporary buffers of ONNX Runtime's kernels for CPUs, by their operators, shapes and attributes. Each rule was measured with ONNX
 * Runtime 1.30, one thread, and the session options of the slice function, at tensors of 4 to 67 MB and batches of 1 to 8.
 */
import type { Model } from '../../../onnx/model';
import { type WorkNode, type WorkTensor, totalBytes, workOf } from '../../../compute-time/node-tensors';
import { dequantizesWeights } from '../../../compute-time/products';
import type { ValueTypes } from '../../../shapes/value-types';
import * as attentions from './attention';
import * as convolutions from './convolutions';

const CONTRIBUTED = 'com.microsoft';

/** Kernels of 8-bit integers add up in 32 bits before they round. */
const SUM_BYTES = 4;
const FLOAT_BYTES = 4;

/** From this opset on, an axis of Softmax is one dimension. Before it, all dimensions from the axis on are one row. */
const SOFTMAX_OF_ONE_AXIS = 13;
/** From this opset on, ONNX defines group normalization by a longer function. */
const LONG_GROUP_NORMALIZATION = 21;

export type ScratchBytes = readonly number[];

type Rule = (work: WorkNode, opset: number, prepacking: boolean) => number;
type SimpleRule = (work: WorkNode) => number;

const copiesOfOutput =
  (copies: number): SimpleRule =>
  ({ outputs }) =>
    copies * totalBytes([outputs.at(0)]);

/** The operators of ONNX. Those that neither table has need no buffers worth counting. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Conv', convolutions.convolutionScratch],
  ['ConvInteger', convolutions.columnsScratch],
  ['DeformConv', convolutions.columnsScratch],
  ['ConvTranspose', convolutions.transposedConvolutionScratch],
  ['QLinearConv', convolutions.quantizedConvolutionScratch],
  ['Attention', attentions.attentionScratch],
  ['LSTM', gatesScratch],
  ['GRU', gatesScratch],
  ['RNN', stepsScratch],
  ['QLinearMatMul', sums],
  ['Where', selections],
  ['Einsum', permutedOperands],
  ['Softmax', transposedRows],
  ['LogSoftmax', transposedRows],
  ['Hardmax', transposedRows],
  ['Resize', narrowedImage],
  ['LRN', squares],
  ['GroupNormalization', (work, opset) => copiesOfOutput(opset >= LONG_GROUP_NORMALIZATION ? 3 : 1)(work)],
  ['MeanVarianceNormalization', copiesOfOutput(2)],
  ...['HardSwish', 'Mish', 'Swish'].map((opType): [string, Rule] => [opType, copiesOfOutput(1)]),
  // With two inputs they write the result at once, with more they hold a partial result.
  ...['Max', 'Mean', 'Min', 'Sum'].map((opType): [string, Rule] => [
    opType,
    (work) => (work.inputs.length > 2 ? totalBytes([work.outputs.at(0)]) : 0),
  ]),
]);

const CONTRIBUTED_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['FusedConv', convolutions.convolutionScratch],
  ['Attention', attentions.projectedAttentionScratch],
  ['QAttention', attentions.projectedAttentionScratch],
  ['MultiHeadAttention', attentions.multiHeadAttentionScratch],
  ['GroupQueryAttention', attentions.groupQueryAttentionScratch],
  ['MatMulNBits', dequantizedWeights],
  ['DynamicQuantizeMatMul', ({ inputs }) => inputs.at(0)?.elements ?? 0],
  ['QGemm', sums],
  ['BiasGelu', copiesOfOutput(1)],
  ['FastGelu', (work) => (work.inputs.at(1) === undefined ? 0 : copiesOfOutput(1)(work))],
]);

/**
 * @param types with the planned sizes in all shapes; a size that is unknown counts as 1
 * @param prepacking whether weights are rewritten for the kernels when a session is created
 */
export function scratchBytes({ graph, opsets }: Model, types: ValueTypes, prepacking = true): ScratchBytes {
  const opset = opsets.find(({ domain }) => domain === '')?.version ?? 0;
  return workOf(graph, types).map((work) => Math.ceil(ruleOf(work.node)?.(work, opset, prepacking) ?? 0));
}

function ruleOf({ domain, opType }: WorkNode['node']): Rule | undefined {
  if (domain === CONTRIBUTED) return CONTRIBUTED_RULES.get(opType);
  return domain === '' ? RULES.get(opType) : undefined;
}

function sums({ outputs }: WorkNode): number {
  return SUM_BYTES * (outputs.at(0)?.elements ?? 0);
}

/** Weights `[columns, blocks, ...]` as floats, of as many rows as the input has columns. */
function dequantizedWeights(work: WorkNode, _: number, prepacking: boolean): number {
  const { inputs, outputs } = work;
  if (!dequantizesWeights(work, prepacking)) return 0;
  return FLOAT_BYTES * (inputs.at(0)?.shape.at(-1) ?? 0) * (outputs.at(0)?.shape.at(-1) ?? 0);
}

/** `Where` first selects from each of its two inputs, which are broadcast to the condition. */
function selections({ inputs }: WorkNode): number {
  const [condition, first, second] = inputs;
  return selectionBytes(condition, first) + selectionBytes(condition, second);
}

function selectionBytes(condition: WorkTensor | undefined, value: WorkTensor | undefined): number {
  if (condition === undefined || value === undefined) return 0;
  const rank = Math.max(condition.shape.length, value.shape.length);
  let elements = 1;
  for (let axis = 1; axis <= rank; axis++)
    elements *= Math.max(condition.shape.at(-axis) ?? 1, value.shape.at(-axis) ?? 1);
  return elements * (value.bytes / Math.max(1, value.elements));
}

/**
 * `Einsum` permutes its operands and multiplies them as matrices. Operands of four dimensions or more have heads, which it moves in
 * all operands and in the result.
 */
function permutedOperands({ inputs, outputs }: WorkNode): number {
  const hasHeads = inputs.some((input) => (input?.shape.length ?? 0) > 3);
  return totalBytes(hasHeads ? inputs : inputs.slice(1)) + (hasHeads ? 2 : 1) * totalBytes([outputs.at(0)]);
}

/** Softmax of another axis than the last one moves this axis to the end, and back. */
function transposedRows({ node, inputs, outputs }: WorkNode, opset: number): number {
  const rank = inputs.at(0)?.shape.length ?? 0;
  const axis = node.sizeAttributes?.get('axis') ?? -1;
  const isLast = axis === -1 || axis === rank - 1;
  return opset < SOFTMAX_OF_ONE_AXIS || isLast ? 0 : 2 * totalBytes([outputs.at(0)]);
}

/** An antialiasing `Resize` makes all rows of an image narrower, or wider, before it does the columns. */
function narrowedImage({ node, inputs, outputs }: WorkNode): number {
  const [input, output] = [inputs.at(0), outputs.at(0)];
  if (node.sizeAttributes?.get('antialias') !== 1 || input === undefined || output === undefined) return 0;
  const rows = input.elements / Math.max(1, input.shape.at(0) ?? 1) / Math.max(1, input.shape.at(-1) ?? 1);
  return FLOAT_BYTES * rows * (output.shape.at(-1) ?? 1);
}

/** `LRN` holds the squares of one image, and a scale for each element of the output. */
function squares({ outputs }: WorkNode): number {
  const bytes = totalBytes([outputs.at(0)]);
  return bytes + bytes / Math.max(1, outputs.at(0)?.shape.at(0) ?? 1);
}

/**
 * `LSTM` and `GRU` multiply all steps with their weights first, for both directions. The backward direction also reverses its input
 * and its output. The weights have the shape `[directions, gates * hidden, features]`.
 */
function gatesScratch({ inputs, outputs }: WorkNode): number {
  const [input, weights] = inputs;
  if (input === undefined || weights?.shape.length !== 3) return 0;
  const [directions = 1, width = 1, features = 1] = weights.shape;
  const products = (input.elements / Math.max(1, features)) * directions * width * FLOAT_BYTES;
  return directions === 2 ? products + input.bytes + totalBytes([outputs.at(0)]) : products;
}

/** `RNN` multiplies all steps with its weights, one direction at a time. */
function stepsScratch({ inputs }: WorkNode): number {
  const [input, weights] = inputs;
  if (input === undefined || weights?.shape.length !== 3) return 0;
  const [, width = 1, features = 1] = weights.shape;
  return (input.elements / Math.max(1, features)) * width * FLOAT_BYTES;
}
