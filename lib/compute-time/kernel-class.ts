/** Which of a processor's speeds a node depends on, and what scales its time from one processor to another. */
import type { WorkNode } from './node-tensors';
import { FEW_BITS } from './products';

/** Products by what they multiply, nodes whose tensors have float16, and all other nodes. */
export const KERNEL_CLASSES = ['float32', 'int8', 'fourBits', 'float16', 'elements'] as const;
export type KernelClass = (typeof KERNEL_CLASSES)[number];

/** By class: what the time of a node is multiplied with. */
export type ClassFactors = Readonly<Record<KernelClass, number>>;

/** @param isProduct whether most of its time is that of products of matrices */
export function kernelClassOf({ node, inputs, outputs }: WorkNode, isProduct: boolean): KernelClass {
  if (FEW_BITS.test(node.opType)) return 'fourBits';
  const isOf = (pattern: RegExp): boolean =>
    [...inputs, ...outputs].some((tensor) => pattern.test(tensor?.dtype ?? ''));
  if (isOf(/^float16$/)) return 'float16';
  if (!isProduct) return 'elements';
  return isOf(/^u?int8$/) ? 'int8' : 'float32';
}

/** Speeds of one thread by the kernels that a profile measures, in operations or elements per second. */
export type KernelSpeeds = Readonly<Record<(typeof MEASURED_KERNELS)[number], number>>;
export const MEASURED_KERNELS = ['float32', 'int8', 'fourBits', 'elements'] as const;

/**
 * The speeds of an x86_64 vCPU of Lambda: `MatMul` and `MatMulInteger` (uint8) of 512 x 512 matrices, `MatMulNBits` of 24 x 768 by
 * 768 x 3072 with prepacked weights and the accuracy level of int8, and `Sigmoid` of 393,216 elements. From `bench/times/lambda-class-x86.tsv`.
 */
export const LAMBDA_SPEEDS: KernelSpeeds = {
  float32: 87.4e9,
  int8: 132e9,
  fourBits: 86.3e9,
  elements: 2.9e9,
};

/** What scales times of a machine to an x86_64 vCPU of Lambda. */
export function factorsFrom(speeds: KernelSpeeds): ClassFactors {
  const [float32, int8, fourBits, elements] = MEASURED_KERNELS.map(
    (kernel) => speeds[kernel] / LAMBDA_SPEEDS[kernel],
  );
  return { float32, int8, fourBits, float16: elements, elements };
}
