/**
 * Ranks that follow from the definitions of operators although ONNX Runtime does not infer them. Some rules go from a result to
 * an input: a `Conv` fails unless its input has the rank of its weights, so each run in which the model runs has that rank.
 */
import type { Dimension } from '../../contract/tensors';
import { MAX_RANK } from '../onnx/limits';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { Graph, Model, Node, ValueIndex } from '../onnx/model';
import { OMITTED } from '../onnx/model';
import { ByteSource } from '../onnx/wire';
import { agreedRanks, ranksOfBody } from './body-ranks';
import { knownIntegers } from './known-integers';
import { attributesOf } from './node-content';

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
  const source = new ByteSource(model.files[0].path);
  try {
    const known = { model, rankOf, shapeOf, source, valueOf: valuesByName(model.graph) };
    for (let isProven = true; isProven;) {
      isProven = false;
      for (const node of nodes)
        for (const [value, rank] of ruledRanks(node, known)) isProven = prove(value, rank) || isProven;
    }
  } finally {
    source.close();
  }
  return found;
}

function valuesByName({ values }: Graph): ReadonlyMap<string, ValueIndex> {
  return new Map(values.map(({ name }, value) => [name, value]));
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

interface Known {
  readonly model: Model;
  readonly rankOf: RankOf;
  readonly shapeOf: ShapeOf;
  /** The model's file. */
  readonly source: ByteSource;
  readonly valueOf: ReadonlyMap<string, ValueIndex>;
}

type RuledRanks = (readonly [ValueIndex, number | undefined])[];

function ruledRanks(node: Node, known: Known): RuledRanks {
  const { opType, inputs, outputs } = node;
  const { rankOf, shapeOf, source } = known;
  const [input, second] = inputs;
  const [result] = outputs;
  const isOpen = [...inputs, ...outputs].some((value) => value !== OMITTED && rankOf(value) === undefined);
  if (!isOpen) return [];
  if (opType === 'Transpose') {
    const order = attributesOf(source, node.field).get('perm')?.integers;
    const rank = order?.length ?? rankOf(input) ?? rankOf(result);
    return [
      [input, rank],
      [result, rank],
    ];
  }
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
    case 'MatMul':
      // A vector is a row here. With a matrix on the right, the result has as many dimensions as the left operand.
      return rankOf(second) === 2 ? sameRanks([input, result], rankOf) : [];
    case 'If':
      return rankOf(input) === undefined ? [] : branchRanks(node, known);
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

/** The ranks on which the branches agree that can run. */
function branchRanks(node: Node, { model, rankOf, shapeOf, source, valueOf }: Known): RuledRanks {
  const attributes = attributesOf(source, node.field);
  const around = {
    source,
    sameRank: SAME_RANK,
    rank: (name: string) => rankOf(valueOf.get(name)),
    length: (name: string) => lengthOf(valueOf.get(name), shapeOf),
  };
  const condition = knownIntegers(node.inputs[0], {
    model,
    shapeOf,
    attributesOf: ({ field }) => attributesOf(source, field),
  });
  const isTrue = condition?.length === 1 ? condition[0] : undefined;
  const branches = [
    ...(isTrue === 0 ? [] : ['then_branch']),
    ...(isTrue === undefined || isTrue === 0 ? ['else_branch'] : []),
  ];
  const ranks = agreedRanks(
    branches.map((name) => {
      const body = attributes.get(name)?.body;
      return body ? ranksOfBody(body, around) : [];
    }),
  );
  return node.outputs.flatMap((output, place) =>
    output === OMITTED ? [] : [[output, ranks.at(place)] as const],
  );
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
