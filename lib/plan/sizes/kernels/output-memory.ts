/** How ONNX Runtime's kernels for CPUs get the memory of their outputs. */
import type { Node } from '../../../onnx/model';

/** The output is another view of the first input. */
const VIEWS = new Set(['Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

/**
 * The output takes the place of the first input, if nothing else needs the input and both have the same size. Measured: a chain of
 * four equal operators on a tensor of 32 MB, with the session options of the slice function.
 */
const IN_PLACE = new Set(
  `Cast Celu Clip Elu HardSigmoid LeakyRelu LogSoftmax Relu
  Selu Sigmoid Softmax Softplus Softsign Tanh ThresholdedRelu Trilu`.split(/\s+/),
);

/** How a kernel's first output gets its memory. */
export type OutputMemory = 'new' | 'view' | 'in place';

export function outputMemory({ domain, opType }: Node): OutputMemory {
  if (domain !== '' && domain !== 'ai.onnx') return 'new';
  if (VIEWS.has(opType)) return 'view';
  return IN_PLACE.has(opType) ? 'in place' : 'new';
}
