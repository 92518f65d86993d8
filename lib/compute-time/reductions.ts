/** Reductions, normalizations, softmax, sorting and pooling: all read each element of their first input. */
import { type WorkNode, movedBytes } from './node-tensors';
import { BANDWIDTH, INPUT_ELEMENT_NS, ROW_NS } from './reference-processor';

const SORTING = new Set(['TopK', 'Unique', 'NonMaxSuppression']);

/** Seconds of a reduction, of a normalization, of a softmax or of sorting. */
export function reductionSeconds(work: WorkNode): number {
  const { node, inputs } = work;
  const input = inputs.at(0);
  if (input === undefined) return 0;
  const { opType } = node;
  const computing = input.elements * nanoseconds(opType) * 1e-9;
  const rows = /Softmax|Hardmax/.test(opType) ? input.elements / Math.max(1, input.shape.at(-1) ?? 1) : 0;
  return Math.max(computing, movedBytes(work) / BANDWIDTH.elementwise) + rows * ROW_NS * 1e-9;
}

/**
 * Pooling. The graph's model does not keep the size of the window; a window is usually as large as its stride or a little
 * larger, so each input element is read about once or twice.
 */
export function poolingSeconds(work: WorkNode): number {
  const input = work.inputs.at(0);
  if (input === undefined) return 0;
  const computing = input.elements * INPUT_ELEMENT_NS.pooling * 1e-9;
  return Math.max(computing, movedBytes(work) / BANDWIDTH.elementwise);
}

function nanoseconds(opType: string): number {
  if (SORTING.has(opType)) return INPUT_ELEMENT_NS.sorting;
  if (opType === 'BatchNormalization') return INPUT_ELEMENT_NS.batchNormalization;
  if (opType.includes('Norm')) return INPUT_ELEMENT_NS.normalization;
  return /Softmax|Hardmax/.test(opType) ? INPUT_ELEMENT_NS.softmax : INPUT_ELEMENT_NS.reduction;
}
