/** Operators that move elements without computing. */
import { type WorkNode, totalBytes, totalElements } from './node-tensors';
import { BANDWIDTH, RESIZE_NS } from './reference-processor';

/** Operators that compute the place of each element that they write. */
const RESIZING = new Set(['Resize', 'Upsample', 'GridSample', 'RoiAlign']);
const REORDERING = new Set(
  'Transpose DepthToSpace SpaceToDepth Gather GatherElements GatherND ScatterElements ScatterND Scatter'.split(
    ' ',
  ),
);

/** What is written was read before, whatever the size of the input: `Slice` and `Gather` read only what they need. */
export function movementSeconds({ node, outputs }: WorkNode): number {
  const bytes = 2 * totalBytes(outputs);
  if (RESIZING.has(node.opType)) return totalElements(outputs) * RESIZE_NS * 1e-9;
  return bytes / (REORDERING.has(node.opType) ? BANDWIDTH.gather : BANDWIDTH.copy);
}
