/** Estimates how long each node computes: from a profile, or from its operator and the shapes of its tensors. */
import type { FunctionNode, LocalFunction, Model, Node } from '../onnx/model';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { ValueTypes } from '../shapes/value-types';
import { attentionSeconds, productNodeSeconds, recurrentSeconds, convolutionSeconds } from './products';
import {
  type BodySize,
  bodySeconds,
  elementwiseSeconds,
  movementSeconds,
  poolingSeconds,
  reductionSeconds,
} from './kernels';
import { type WorkNode, movedBytes, workOf } from './node-tensors';
import { type ModelProfile, profiledWork } from './profile/profile';
import { BANDWIDTH, NODE_OVERHEAD } from './reference-processor';

/**
 * By node of the graph that is cut: seconds on one thread of the reference processor. Divide them by the speed of one vCPU of
 * Lambda, which the model of cost has, relative to that processor.
 */
export type NodeSeconds = readonly number[];

/**
 * @param types with the planned sizes in all shapes; a size that is unknown counts as 1
 * @param profile of this graph; it is used instead of the operators and shapes
 */
export function nodeSeconds(model: Model, types: ValueTypes, profile?: ModelProfile): NodeSeconds {
  if (profile !== undefined) return profiledWork(profile);
  const functions = functionsByKey(model);
  const insideOf = bodySizes(functions);
  return workOf(model.graph, types).map((work) => secondsOf(work, insideOf(work.node)));
}

function secondsOf(work: WorkNode, inside: BodySize | undefined): number {
  // ONNX Runtime turns these nodes into initializers when it loads a graph.
  if (work.node.opType === 'Constant' && work.node.domain === '') return 0;
  if (inside !== undefined) return NODE_OVERHEAD + bodySeconds(work, inside);
  return NODE_OVERHEAD + KERNEL_SECONDS[familyOf(work.node.opType)](work);
}

const unknownSeconds = (work: WorkNode): number => movedBytes(work) / BANDWIDTH.elementwise;

const KERNEL_SECONDS: Readonly<Record<Family, (work: WorkNode) => number>> = {
  product: productNodeSeconds,
  convolution: convolutionSeconds,
  recurrent: recurrentSeconds,
  attention: attentionSeconds,
  elementwise: elementwiseSeconds,
  movement: movementSeconds,
  reduction: reductionSeconds,
  pooling: poolingSeconds,
  view: () => 0,
  body: unknownSeconds,
  other: unknownSeconds,
};

function bodySizes(functions: ReadonlyMap<string, LocalFunction>): (node: Node) => BodySize | undefined {
  const known = new Map<LocalFunction, BodySize>();
  const sizeOf = (fn: LocalFunction): BodySize => {
    const found = known.get(fn);
    if (found !== undefined) return found;
    const inner = fn.nodes.map(({ use }: FunctionNode) => functions.get(callKey(use)));
    const size = inner.reduce<BodySize>(
      (sum, callee) => {
        const own = callee === undefined ? { nodes: 1, heldBytes: 0 } : sizeOf(callee);
        return { nodes: sum.nodes + own.nodes, heldBytes: sum.heldBytes + own.heldBytes };
      },
      { nodes: 0, heldBytes: fn.heldBytes },
    );
    known.set(fn, size);
    return size;
  };
  return ({ operators, heldBytes }) => {
    const own = operators.at(-1);
    const called = own === undefined ? undefined : functions.get(callKey(own));
    if (called !== undefined) return sizeOf(called);
    // The last use is that of the node itself, the others are those of its bodies.
    return operators.length > 1 ? { nodes: operators.length - 1, heldBytes } : undefined;
  };
}

const OPERATORS = {
  product: `MatMul Gemm MatMulInteger QLinearMatMul Einsum FusedMatMul FusedGemm FusedMatMulActivation GemmFastGelu
    TransposeMatMul DynamicQuantizeMatMul MatMulIntegerToFloat QGemm MatMulNBits MatMulBnb4 MatMulFpQ4 GemmFloat8`,
  convolution: `Conv FusedConv ConvTranspose ConvInteger QLinearConv DeformConv NhwcFusedConv NhwcConv`,
  recurrent: `LSTM GRU RNN DynamicQuantizeLSTM`,
  attention: `Attention MultiHeadAttention GroupQueryAttention QAttention PackedAttention PackedMultiHeadAttention
    DecoderMaskedMultiHeadAttention DecoderMaskedSelfAttention LongformerAttention SparseAttention`,
  elementwise: `Abs Acos Acosh Add And Asin Asinh Atan Atanh BiasGelu BiasAdd BitShift BitwiseAnd BitwiseNot BitwiseOr
    BitwiseXor Cast CastLike Ceil Celu Clip Cos Cosh DequantizeLinear Div Dropout DynamicQuantizeLinear Elu Equal Erf Exp
    FastGelu Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish ImageScaler IsInf IsNaN LeakyRelu Less LessOrEqual Log Max
    Mean Min Mish Mod Mul Neg Not Or PRelu Pow QLinearAdd QLinearLeakyRelu QLinearMul QLinearSigmoid QuantizeLinear QuickGelu
    Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where
    Xor RotaryEmbedding`,
  movement: `CenterCropPad Compress Concat ConstantOfShape Crop DepthToSpace Expand EyeLike Gather GatherElements GatherND
    OneHot Pad Range Resize ReverseSequence Scatter ScatterElements ScatterND Slice SpaceToDepth Split Tile Transpose Trilu
    Upsample GridSample EmbedLayerNormalization QLinearConcat RoiAlign QEmbedLayerNormalization`,
  view: `Constant Flatten Identity Reshape Shape Size Squeeze Unsqueeze SequenceAt SequenceConstruct SequenceEmpty
    SequenceErase SequenceInsert SequenceLength Optional OptionalGetElement OptionalHasElement`,
  reduction: `ArgMin ArgMax BatchNormalization CumSum GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNorm
    GroupNormalization Hardmax InstanceNormalization LayerNormalization LogSoftmax LpNormalization
    MeanVarianceNormalization NonMaxSuppression NonZero QLinearGlobalAveragePool QLinearReduceMean QLinearSoftmax RMSNormalization
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
    SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization Softmax TopK Unique`,
  pooling: `AveragePool LpPool MaxPool MaxRoiPool MaxUnpool QLinearAveragePool LRN`,
  body: `If Loop Scan SequenceMap`,
};

/** A family has one formula. `other` is the fallback for operators that this table does not have. */
export type Family = keyof typeof OPERATORS | 'other';

const FAMILIES: ReadonlyMap<string, Family> = new Map(
  Object.entries(OPERATORS).flatMap(([family, operators]) =>
    operators.split(/\s+/).map((operator) => [operator, family as Family] as const),
  ),
);

function familyOf(opType: string): Family {
  return FAMILIES.get(opType) ?? 'other';
}
