/**
 * Ranks that follow from the definitions of operators although ONNX Runtime does not infer them. Some rules go from a result to
 * an input: a `Conv` fails unless its input has the rank of its weights, so each run in which the model runs has that rank.
 */
import type { Dimension } from '../../contract/tensors';
import { MAX_RANK } from '../onnx/limits';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { Graph, Model, Node, ValueIndex } from '../onnx/model';
import { OMITTED } from '../onnx/model';

/** By value: its rank, as far as it is known. */
export type Ranks = Map<ValueIndex, number>;

type ShapeOf = (value: ValueIndex) => readonly Dimension[] | null;

/** Operators of one input whose result has its rank. `Crop` is an experimental operator of early exporters. */
const SAME_RANK: ReadonlySet<string> = new Set([
  ...[
    'Abs',
    'Cast',
    'CastLike',
    'Ceil',
    'Clip',
    'Crop',
    'Elu',
    'Erf',
    'Exp',
    'Floor',
    'HardSigmoid',
    'Identity',
  ],
  ...[
    'LeakyRelu',
    'Log',
    'LogSoftmax',
    'Neg',
    'Not',
    'Relu',
    'Round',
    'Sigmoid',
    'Softmax',
    'Softplus',
    'Sqrt',
  ],
  ...['Tanh', 'Transpose'],
]);

/** Convolutions, whose input, weights and result have the same rank. The optimizer makes a `FusedConv` of one and its activation. */
const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'FusedConv']);
const FUSED_DOMAIN = 'com.microsoft';

/**
 * Returns the ranks that the rules prove for values whose shape is unknown.
 *
 * @param shapeOf what is known already
 */
export function ranksByRule(model: Model, shapeOf: ShapeOf): Ranks {
  const functions = functionsByKey(model);
  const found: Ranks = new Map();
  const rankOf = (value: ValueIndex | undefined): number | undefined =>
    value === undefined || value === OMITTED ? undefined : (shapeOf(value)?.length ?? found.get(value));
  const prove = (value: ValueIndex, rank: number | undefined): boolean => {
    const isNew = rank !== undefined && rank >= 0 && rank <= MAX_RANK && rankOf(value) === undefined;
    if (isNew) found.set(value, rank);
    return isNew;
  };
  const nodes = liveNodes(model.graph).filter(
    ({ domain, opType, operators }) =>
      domain === (opType === 'FusedConv' ? FUSED_DOMAIN : '') &&
      !operators.some((use) => functions.has(callKey(use))),
  );
  for (let isProven = true; isProven;) {
    isProven = false;
    for (const node of nodes)
      for (const [value, rank] of ruledRanks(node, rankOf, shapeOf))
        isProven = prove(value, rank) || isProven;
  }
  return found;
}

/** ONNX Runtime removes the other nodes, so they prove nothing about their inputs. */
function liveNodes({ nodes, outputs, values }: Graph): Node[] {
  const live = new Set<number>();
  const pending = outputs.map(({ value }) => value);
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const producer = value === OMITTED ? undefined : values[value].producer;
    if (producer === undefined || live.has(producer)) continue;
    live.add(producer);
    for (const input of nodes[producer].inputs) pending.push(input);
    for (const capture of nodes[producer].captures) pending.push(capture);
  }
  return nodes.filter((_, index) => live.has(index));
}

type RankOf = (value: ValueIndex | undefined) => number | undefined;

function ruledRanks(
  { opType, inputs, outputs }: Node,
  rankOf: RankOf,
  shapeOf: ShapeOf,
): (readonly [ValueIndex, number | undefined])[] {
  const [input, second] = inputs;
  const [result] = outputs;
  if (SAME_RANK.has(opType)) return sameRanks([input, result], rankOf);
  if (CONVOLUTIONS.has(opType)) return sameRanks([second, input, result], rankOf);
  switch (opType) {
    case 'Concat':
      return sameRanks([result, ...inputs], rankOf);
    case 'Unsqueeze': {
      const added = lengthOf(second, shapeOf) ?? NaN;
      const given = rankOf(input);
      const made = rankOf(result);
      return Number.isNaN(added)
        ? []
        : [
            [result, given === undefined ? undefined : given + added],
            [input, made === undefined ? undefined : made - added],
          ];
    }
    case 'Reshape':
      return [[result, lengthOf(second, shapeOf)]];
    case 'ConstantOfShape':
      return [[result, lengthOf(input, shapeOf)]];
    case 'Expand': {
      const [given, wanted] = [rankOf(input), lengthOf(second, shapeOf)];
      return [[result, given === undefined || wanted === undefined ? undefined : Math.max(given, wanted)]];
    }
    default:
      return [];
  }
}

/** All values have the rank that one of them has. */
function sameRanks(
  values: readonly ValueIndex[],
  rankOf: RankOf,
): (readonly [ValueIndex, number | undefined])[] {
  const rank = values.map(rankOf).find((known) => known !== undefined);
  return values.filter((value) => value !== OMITTED).map((value) => [value, rank] as const);
}

/** The number of elements of a list of a fixed size. */
function lengthOf(value: ValueIndex | undefined, shapeOf: ShapeOf): number | undefined {
  const shape = value === undefined || value === OMITTED ? null : shapeOf(value);
  const [size] = shape?.length === 1 ? shape : [];
  return typeof size === 'number' ? size : undefined;
}
