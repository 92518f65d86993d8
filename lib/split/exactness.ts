/**
 * Which operators compute the same bits in parts as whole. The product of a matrix with some columns of a weight has the bits of these columns
 * of the whole product only if ONNX Runtime's kernel adds up in the same order, and that depends on how many columns it gets. So this table is
 * measured, not derived: `npm run bench:split` repeats the measurement, and `test/end-to-end/split-kernels.test.ts` a part of it.
 * An operator or type that is not in the table is not split.
 *
 * Measured with ONNX Runtime 1.30.0 and 1, 2, 3, 4 and 6 threads. On 2026-11-29, without prepacked weights, all were identical inside of the table:
 * 2,415 splits on x86-64 with AVX-512 (AMD EPYC, Zen 4), 418 with AVX2 (Haswell, by QEMU) and 428 on arm64 (Neoverse N1, by QEMU). On 2026-12-01, with
 * prepacked weights and with -0.0, denormals, infinities and NaN with payloads: 525 of 525 on AVX-512, 525 of 525 on the same machine with AVX2, and 148
 * of 148 on Neoverse N1 (QEMU); outside of it 218 of 275, 219 of 275 and 77 of 92. Prepacking made the order of additions of `ConvTranspose` depend on
 * the threads, as that of `Conv` does.
 * NaN was either in the inputs or in the weights. With NaN of different bits in both, kernels choose by the position in a block whose bits a product
 * keeps: 15 of 144 splits inside of the table then had other bits of NaN, of MatMul, Gemm and ConvTranspose, and the same numbers.
 *
 * With all extensions of arm64 (QEMU's `max`), which Graviton2 lacks, parts of `Conv` differed with one thread too.
 */

/** How the outputs of an operator may be divided. */
export interface ExactSplit {
  /** Every boundary between parts is at a multiple of it. */
  readonly multipleOf: number;
  /** The fewest columns of a part for each thread. A kernel chooses its blocks by the columns that one thread gets. */
  readonly leastPerThread: number;
  /** The most threads of ONNX Runtime with which the parts are exact. @default - any number */
  readonly mostThreads?: number;
}

interface Rule extends ExactSplit {
  /** With the domain, unless it is ai.onnx. */
  readonly operators: readonly string[];
  /** Element types of the operator's output; absent if every type is only copied. */
  readonly dtypes?: readonly string[];
}

/** Kernels compute 16 columns at a time, with every instruction set that was measured. */
const BLOCK = 16;
/** With 64 columns a thread or fewer, the kernel of float32 adds up more rows of the weight at once. */
const WIDE = 80;

const RULES: readonly Rule[] = [
  // A Gather copies.
  { operators: ['Gather'], multipleOf: 1, leastPerThread: 0 },
  {
    operators: ['MatMul', 'Gemm', 'com.microsoft.MatMulNBits'],
    dtypes: ['float32'],
    multipleOf: BLOCK,
    leastPerThread: WIDE,
  },
  // Sums of integers do not depend on their order.
  {
    operators: ['MatMulInteger', 'ConvInteger', 'QLinearMatMul', 'QLinearConv'],
    dtypes: ['int32', 'uint8', 'int8'],
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
  // It scales sums of integers.
  {
    operators: ['com.microsoft.DynamicQuantizeMatMul'],
    dtypes: ['float32'],
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
  // Several threads share the positions of the output, or its channels if there are more of them. How many products are added up at once
  // depends on the positions that a thread gets.
  {
    operators: ['Conv', 'ConvTranspose'],
    dtypes: ['float32'],
    multipleOf: BLOCK,
    leastPerThread: 0,
    mostThreads: 1,
  },
];

/**
 * Groups are computed one by one, in every operator above that has them. But several threads share the work of a single group as they share
 * that of a convolution without groups.
 */
export function groupSplit(channelsPerGroup: number): ExactSplit {
  return { multipleOf: 2 * channelsPerGroup, leastPerThread: 0 };
}

/**
 * How `operator` may be divided so that its bits stay the same, or the reason why it may not.
 *
 * @param dtype of its output; undefined if it is not known
 */
export function exactSplit(operator: string, dtype: string | undefined): ExactSplit | string {
  const rule = RULES.find(({ operators }) => operators.includes(operator));
  if (rule === undefined) return 'no measurement shows that its parts have the bits of the whole';
  if (rule.dtypes?.includes(dtype ?? '') ?? true) return rule;
  return `no measurement shows that its parts have the bits of the whole in ${dtype ?? 'an unknown type'}`;
}
