/** Which of a processor's speeds a node depends on, because arm64 differs from x86_64 in each of them. */
import type { WorkNode } from './node-tensors';
import { FEW_BITS } from './products';

/** Products by what they multiply, nodes whose tensors have float16, and all other nodes. */
type KernelClass = 'float32' | 'int8' | 'fourBits' | 'float16' | 'elements';

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
