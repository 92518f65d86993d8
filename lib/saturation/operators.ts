/**
 * Operators whose integer products x86 processors without VNNI compute wrongly. ONNX Runtime multiplies uint8 by int8 there with `vpmaddubsw`,
 * which adds two products in 16 bits and saturates. https://www.felixcloutier.com/x86/pmaddubsw
 *
 * Measured against exact integers with ONNX Runtime 1.30.0 and AVX2, with and without prepacking: all operators of its processor provider that
 * take int8 or uint8 weights, with each pair of types, batches of one and more rows, groups and layouts. `npm run bench:integers` repeats it.
 * Products of uint8 by uint8 and of int8 by int8 are exact everywhere, so either type of the weights can take the place of the other one.
 * `MatMulNBits`, `QMoE` and the int8 caches of `GroupQueryAttention` never saturate.
 */

/** A weight of an operator, by positions among its inputs. */
export interface WeightInput {
  readonly weight: number;
  readonly zeroPoint: number;
}

export interface SaturatingOperator {
  /** Positions of the activations and of their zero point; absent if the kernel always computes with activations of uint8. */
  readonly activations?: { readonly values: number; readonly zeroPoint: number };
  readonly weights: readonly WeightInput[];
  /** The pair of types whose products are wrong. */
  readonly wrong: { readonly activations: ByteType; readonly weights: ByteType };
  /** Whether there is a kernel for activations of the other type and weights that were rewritten, if the type of the activations is not known. */
  readonly takesAnyActivations?: boolean;
}

export type ByteType = 'uint8' | 'int8';

const UNSIGNED_BY_SIGNED = { activations: 'uint8', weights: 'int8' } as const;
const LINEAR = {
  activations: { values: 0, zeroPoint: 2 },
  weights: [{ weight: 3, zeroPoint: 5 }],
  wrong: UNSIGNED_BY_SIGNED,
} as const;

/** By operator, with its domain unless it is ai.onnx. https://onnx.ai/onnx/operators and ONNX Runtime's ContribOperators.md have the inputs. */
export const SATURATING: Readonly<Record<string, SaturatingOperator>> = {
  MatMulInteger: {
    activations: { values: 0, zeroPoint: 2 },
    weights: [{ weight: 1, zeroPoint: 3 }],
    wrong: UNSIGNED_BY_SIGNED,
    takesAnyActivations: true,
  },
  // The kernel multiplies the weights by the activations, so the roles are swapped.
  ConvInteger: {
    activations: { values: 0, zeroPoint: 2 },
    weights: [{ weight: 1, zeroPoint: 3 }],
    wrong: { activations: 'int8', weights: 'uint8' },
    takesAnyActivations: true,
  },
  QLinearMatMul: LINEAR,
  QLinearConv: LINEAR,
  'com.microsoft.QLinearConv': LINEAR,
  'com.microsoft.QGemm': LINEAR,
  'com.microsoft.MatMulIntegerToFloat': {
    activations: { values: 0, zeroPoint: 4 },
    weights: [{ weight: 1, zeroPoint: 5 }],
    wrong: UNSIGNED_BY_SIGNED,
  },
  'com.microsoft.DynamicQuantizeMatMul': {
    weights: [{ weight: 1, zeroPoint: 3 }],
    wrong: UNSIGNED_BY_SIGNED,
  },
  'com.microsoft.QAttention': {
    weights: [{ weight: 1, zeroPoint: 7 }],
    wrong: UNSIGNED_BY_SIGNED,
  },
  'com.microsoft.DynamicQuantizeLSTM': {
    weights: [
      { weight: 1, zeroPoint: 9 },
      { weight: 2, zeroPoint: 11 },
    ],
    wrong: UNSIGNED_BY_SIGNED,
  },
};

export function saturatingOperator(operator: string): SaturatingOperator | undefined {
  return Object.hasOwn(SATURATING, operator) ? SATURATING[operator] : undefined;
}

/** The other type, to which weights of the type are rewritten. */
export function otherType(type: ByteType): ByteType {
  return type === 'int8' ? 'uint8' : 'int8';
}

/**
 * Whether products with this byte of a weight can saturate. Two products of uint8 by int8 stay within 16 bits while the int8 is -64 to 64
 * (2 * 255 * 64 = 32,640), or while the uint8 is at most 128 (2 * 128 * -128 = -32,768).
 */
export function canSaturate(byte: number, type: ByteType): boolean {
  return type === 'uint8' ? byte > 128 : byte > 64 && byte < 192;
}
