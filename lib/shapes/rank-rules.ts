/**
 * Ranks that follow from the definitions of operators although ONNX Runtime does not infer them. Some rules go from a result to
 * an input: a `Conv` fails unless its input has the rank of its weights, so each run in which the model runs has that rank.
 */
import type { Dimension } from '../../contract/tensors';
import { MAX_RANK } from '../onnx/limits';
import { type Node, type ValueIndex, OMITTED } from '../onnx/model';

type ShapeOf = (value: ValueIndex) => readonly Dimension[] | null;
type OrderOf = (node: Node) => readonly number[] | undefined;

/** Operators of one input whose result has its rank. `Crop` is an experimental operator of early exporters. */
const SAME_RANK = new Set('Cast CastLike Crop Identity Relu Sigmoid Tanh'.split(' '));

/**
 * Returns the ranks that the rules prove for values whose shape is unknown.
 *
 * @param nodes nodes of ONNX's operators that run
 * @param shapeOf what is known already
 * @param orderOf the order of the axes after a `Transpose`, if it has one
 */
export function ranksByRule(
  nodes: readonly Node[],
  shapeOf: ShapeOf,
  orderOf: OrderOf,
): ReadonlyMap<ValueIndex, number> {
  const found = new Map<ValueIndex, number>();
  const rankOf = (value: ValueIndex): number | undefined =>
    value === OMITTED ? undefined : (shapeOf(value)?.length ?? found.get(value));
  for (let isProven = true; isProven;) {
    isProven = false;
    for (const node of nodes)
      for (const [value, rank] of ruledRanks(node, rankOf, shapeOf, orderOf)) {
        if (value === OMITTED || rank === undefined || rankOf(value) !== undefined) continue;
        // A size of the model may be any number.
        if (!(rank >= 0 && rank <= MAX_RANK)) continue;
        found.set(value, rank);
        isProven = true;
      }
  }
  return found;
}

type RuledRanks = readonly (readonly [ValueIndex, number | undefined])[];

function ruledRanks(
  node: Node,
  rankOf: (value: ValueIndex) => number | undefined,
  shapeOf: ShapeOf,
  orderOf: OrderOf,
): RuledRanks {
  const {
    opType,
    inputs,
    outputs: [result],
  } = node;
  const same = (values: readonly ValueIndex[]): RuledRanks => {
    const rank = values.map(rankOf).find((known) => known !== undefined);
    return values.map((value) => [value, rank]);
  };
  const lengthOf = (value = OMITTED): number => {
    const shape = value === OMITTED ? null : shapeOf(value);
    return shape?.length === 1 && typeof shape[0] === 'number' ? shape[0] : NaN;
  };
  const [input, second] = inputs;
  switch (opType) {
    case 'Reshape':
      return [[result, lengthOf(second)]];
    case 'ConstantOfShape':
      return [[result, lengthOf(input)]];
    case 'Expand':
      return [[result, Math.max(lengthOf(second), rankOf(input) ?? NaN)]];
    case 'Concat':
      return same([result, ...inputs]);
    case 'Conv':
    case 'ConvTranspose':
      return same([second, input, result]);
    case 'Unsqueeze':
      return [
        [result, (rankOf(input) ?? NaN) + lengthOf(second)],
        [input, (rankOf(result) ?? NaN) - lengthOf(second)],
      ];
    case 'Transpose':
      if (rankOf(input) !== undefined && rankOf(result) !== undefined) return [];
      return [input, result].map((value) => [value, orderOf(node)?.length]);
    default:
      return SAME_RANK.has(opType) ? same([input, result]) : [];
  }
}
