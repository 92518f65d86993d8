/**
 * Which operators compute the same bits in parts as whole. The product of a matrix with some columns of a weight has the bits of these columns
 * of the whole product only if ONNX Runtime's kernel adds up in the same order, and that depends on how many columns it gets. So this table is
 * measured, not derived: `npm run bench:split` repeats the measurement, and `test/end-to-end/split-kernels.test.ts` a part of it.
 * An operator, type or processor that is not in the table is not split.
 */
import type { Architecture } from '../cost/formulas/lambda';

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
  readonly architectures: readonly Architecture[];
}

const BOTH: readonly Architecture[] = ['x86_64', 'arm64'];

/** Kernels compute 16 columns at a time, with every instruction set of x86-64 that ONNX Runtime knows. */
const BLOCK = 16;
/** With 64 columns a thread or fewer, the kernel of float32 adds up more rows of the weight at once. */
const WIDE = 80;

const RULES: readonly Rule[] = [
  // A Gather copies.
  { operators: ['Gather'], architectures: BOTH, multipleOf: 1, leastPerThread: 0 },
  {
    operators: ['MatMul', 'Gemm'],
    dtypes: ['float32'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: WIDE,
  },
  {
    operators: ['com.microsoft.MatMulNBits'],
    dtypes: ['float32'],
    architectures: ['x86_64'],
    multipleOf: BLOCK,
    leastPerThread: WIDE,
  },
  // Sums of integers do not depend on their order.
  {
    operators: ['MatMulInteger', 'ConvInteger'],
    dtypes: ['int32'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
  {
    operators: ['QLinearMatMul', 'QLinearConv'],
    dtypes: ['uint8', 'int8'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
  {
    operators: ['com.microsoft.DynamicQuantizeMatMul'],
    dtypes: ['float32'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
  // Several threads divide the positions of the output by the number of channels, and the positions of a thread decide how many products
  // are added up at once.
  {
    operators: ['Conv'],
    dtypes: ['float32'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: 0,
    mostThreads: 1,
  },
  {
    operators: ['ConvTranspose'],
    dtypes: ['float32'],
    architectures: BOTH,
    multipleOf: BLOCK,
    leastPerThread: 0,
  },
];

/** Groups are computed one by one, in every operator above that has them. But a single group has another kernel. */
export function groupSplit(channelsPerGroup: number): ExactSplit {
  return { multipleOf: 2 * channelsPerGroup, leastPerThread: 0 };
}

const isOf = (rule: Rule, operator: string): boolean => rule.operators.includes(operator);

/**
 * How `operator` may be divided so that its bits stay the same, or the reason why it may not.
 *
 * @param dtype of its output; undefined if it is not known
 */
export function exactSplit(
  operator: string,
  dtype: string | undefined,
  architecture: Architecture,
): ExactSplit | string {
  const rules = RULES.filter((rule) => isOf(rule, operator));
  if (rules.length === 0) return 'no measurement shows that its parts have the bits of the whole';
  const ofType = rules.filter(({ dtypes }) => dtypes?.includes(dtype ?? '') ?? true);
  if (ofType.length === 0)
    return `no measurement shows that its parts have the bits of the whole in ${dtype ?? 'an unknown type'}`;
  return (
    ofType.find(({ architectures }) => architectures.includes(architecture)) ??
    `its parts do not have the bits of the whole on ${architecture}, or nobody measured it`
  );
}
