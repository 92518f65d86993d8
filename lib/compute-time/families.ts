/** Which operator belongs to which family, by the name of the operator in ONNX or ONNX Runtime's contributed operators. */

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

export function familyOf(opType: string): Family {
  return FAMILIES.get(opType) ?? 'other';
}
