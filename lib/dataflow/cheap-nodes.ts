/** Finds the cheap nodes: nodes that may run in several slices, because they cost little and always compute the same bits. */
import type { Model, Node } from '../onnx/model';
import type { Casts } from './casts';

/**
 * Arithmetic on shapes, positions and masks. Each of these operators takes about as long as writing its result, far less
 * than passing the result through S3. No result depends on the order of additions or on how the inputs were computed.
 */
const CHEAP_OPERATORS = new Set(
  `Shape Size ConstantOfShape Range EyeLike Trilu Identity Cast Reshape Flatten Squeeze Unsqueeze
  Transpose Expand Tile Concat Split Pad Slice Gather GatherElements GatherND OneHot Where Equal
  Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsInf IsNaN Add Sub Mul Div Mod Neg Abs
  Sign Min Max Clip Floor Ceil Round`.split(/\s+/),
);

/** By node: whether it may run in several slices. */
export function cheapNodes(model: Model, { betweenCasts }: Casts): boolean[] {
  // How ONNX Runtime computes a float16 value depends on the neighbors of the value.
  if (model.usesFloat16) return model.graph.nodes.map(() => false);
  return model.graph.nodes.map(
    (node) => isCheap(node) && ![...node.inputs, ...node.outputs].some((value) => betweenCasts.has(value)),
  );
}

function isCheap({ domain, opType, pieces }: Node): boolean {
  return domain === '' && CHEAP_OPERATORS.has(opType) && pieces === undefined;
}
