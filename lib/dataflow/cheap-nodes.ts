/** Finds nodes that may run in more than one slice: cheap ones, with the same bits wherever they run. */
import type { Model, Node } from '../onnx/model';
import type { Casts } from './casts';

/**
 * Arithmetic on shapes, positions and masks. What an operator here does takes about the time of writing its result, far
 * less than passing that through S3. None of them depends on the order of additions, or on how its inputs came about.
 */
const CHEAP_OPERATORS = new Set(
  [
    ['Shape', 'Size', 'ConstantOfShape', 'Range', 'EyeLike', 'Trilu', 'Identity', 'Cast'],
    ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Tile', 'Concat', 'Split', 'Pad'],
    ['Slice', 'Gather', 'GatherElements', 'GatherND', 'OneHot', 'Where'],
    [
      'Equal',
      'Less',
      'LessOrEqual',
      'Greater',
      'GreaterOrEqual',
      'And',
      'Or',
      'Xor',
      'Not',
      'IsInf',
      'IsNaN',
    ],
    ['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Neg', 'Abs', 'Sign', 'Min', 'Max', 'Clip', 'Floor', 'Ceil', 'Round'],
  ].flat(),
);

/** By node: whether it may run in several slices. */
export function cheapNodes(model: Model, { between }: Casts): boolean[] {
  // Which neighbors a float16 value has decides how it is computed.
  if (model.usesFloat16) return model.graph.nodes.map(() => false);
  return model.graph.nodes.map(
    (node) => isCheap(node) && ![...node.inputs, ...node.outputs].some((value) => between.has(value)),
  );
}

function isCheap({ domain, opType, pieces }: Node): boolean {
  return domain === '' && CHEAP_OPERATORS.has(opType) && pieces === undefined;
}
