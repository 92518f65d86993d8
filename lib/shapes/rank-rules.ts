/** Ranks that follow from an operator's definition although ONNX Runtime does not infer them. */
import type { Dimension } from '../../contract/tensors';
import type { Node } from '../onnx/model';
import { OMITTED } from '../onnx/model';

type Shape = readonly Dimension[] | null;

/** Rules by operator of the domain ai.onnx. They get the shapes of the inputs. */
const RULES: Readonly<Record<string, (inputs: readonly Shape[]) => number | undefined>> = {
  Reshape: ([, shape]) => length(shape),
  ConstantOfShape: ([shape]) => length(shape),
  Expand: ([input, shape]) => {
    const given = length(shape);
    return input && given !== undefined ? Math.max(input.length, given) : undefined;
  },
  // An experimental operator of early exporters, which ONNX Runtime computes for four dimensions only.
  Crop: ([input]) => input?.length,
};

/** The rank of a node's only result; `undefined` if no rule proves it. */
export function rankByRule(node: Node, shapeOf: (value: number) => Shape): number | undefined {
  if (node.domain !== '' || !Object.hasOwn(RULES, node.opType)) return undefined;
  return RULES[node.opType](node.inputs.map((input) => (input === OMITTED ? null : shapeOf(input))));
}

/** The number of elements of a list. */
function length(shape: Shape | undefined): number | undefined {
  const [size] = shape?.length === 1 ? shape : [];
  return typeof size === 'number' ? size : undefined;
}
