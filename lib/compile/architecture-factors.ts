/** How much longer than on x86_64 a node takes on Lambda's arm64 processors. */
import type { Architecture } from '../cost/formulas/lambda';
import type { Environment } from '../cost/constants/defaults';
import type { ClassFactors } from '../compute-time/kernel-class';

export function architectureFactors(
  architecture: Architecture,
  { processor }: Environment,
): ClassFactors | undefined {
  if (architecture === 'x86_64') return undefined;
  const { armFloat32, armInt8, armFourBits, armFloat16 } = processor;
  return {
    float32: armFloat32,
    elements: armFloat32,
    int8: armInt8,
    fourBits: armFourBits,
    float16: armFloat16,
  };
}
