/** Finds the nodes whose outputs may have other sizes than ONNX Runtime infers for them. */
import { calledFunctions } from '../onnx/local-functions';
import { type Model, type Node, type OperatorUse, OMITTED } from '../onnx/model';
import { nodeAttributes } from './node-attributes';

/**
 * Operators whose kernels may round otherwise than their inference, so that a size is off by one: pooling with `ceil_mode`
 * or with `auto_pad` SAME, `ConvTranspose` with `auto_pad` SAME, and `Resize` and `Upsample` by scales. Only these
 * differed in random nodes of operators that compute sizes (`test/lib/shapes/proven-shapes.test.ts`), and in none of the node
 * tests of ONNX 1.23 did any.
 */
const ROUNDING = /^(?!Global|QLinearGlobal).*Pool|^ConvTranspose$|^Resize$|^Upsample$/i;

/** The place of `sizes` among the inputs of `Resize`. With `sizes`, nothing is rounded. */
const RESIZE_SIZES = 3;

/** The nodes that compute sizes by rounding. Those with such an operator in a body or a function count too. */
export function uncertainNodes(model: Model): Node[] {
  return model.graph.nodes.filter((node) => {
    // The last operator is that of the node itself.
    const inside = [...node.operators.slice(0, -1), ...functionOperators(model, node)];
    return inside.some(mayRound) || (mayRound(node) && rounds(model, node));
  });
}

function functionOperators(model: Model, node: Node): OperatorUse[] {
  return calledFunctions(model, [node]).flatMap(({ operators }) => operators);
}

function mayRound({ opType }: Pick<OperatorUse, 'opType'>): boolean {
  return ROUNDING.test(opType);
}

function rounds(model: Model, node: Node): boolean {
  const { opType, inputs } = node;
  if (opType === 'Upsample') return true;
  if (opType === 'Resize') return (inputs.at(RESIZE_SIZES) ?? OMITTED) === OMITTED;
  const attributes = nodeAttributes(model, node);
  const pads = attributes.get('auto_pad')?.text ?? '';
  return pads.startsWith('SAME') || (attributes.get('ceil_mode')?.integer ?? 0) !== 0;
}
