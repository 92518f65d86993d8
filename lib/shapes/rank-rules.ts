/**
 * Ranks that follow from the definitions of operators although ONNX Runtime does not infer them. Some rules go from a result to
 * an input: a `Conv` fails unless its input has the rank of its weights, so each run in which the model runs has that rank.
 */
import type { Dimension } from '../../contract/tensors';
import { MAX_RANK } from '../onnx/limits';
import { callKey, functionsByKey } from '../onnx/local-functions';
import { type Graph, type Model, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import { nodeAttributes } from './node-attributes';

export type Ranks = Map<ValueIndex, number>;

type ShapeOf = (value: ValueIndex) => readonly Dimension[] | null;

/** Operators of one input whose result has its rank. `Crop` is an experimental operator of early exporters. */
const SAME_RANK = new Set('Cast CastLike Crop Identity Relu Sigmoid Tanh'.split(' '));

const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose']);

/** Operators whose result has as many dimensions as the list at this place among the inputs has elements. */
const SIZES: ReadonlyMap<string, number> = new Map([
  ['Reshape', 1],
  ['Expand', 1],
  ['ConstantOfShape', 0],
]);

/**
 * Operators whose result always has this rank. That of an `STFT` has signals, frames, frequencies, and the two parts of a complex
 * number.
 */
const FIXED_RANK: ReadonlyMap<string, number> = new Map([
  ['STFT', 4],
  ['FeatureVectorizer', 2],
]);

const DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx.ml']);

/** Returns the ranks that the rules prove for values whose shape is unknown. @param shapeOf what is known already */
export function ranksByRule(model: Model, shapeOf: ShapeOf): Ranks {
  const functions = functionsByKey(model);
  const found: Ranks = new Map();
  const rankOf = (value: ValueIndex): number | undefined => shapeOf(value)?.length ?? found.get(value);
  const nodes = liveNodes(model.graph).filter(
    ({ domain, operators }) => DOMAINS.has(domain) && !operators.some((use) => functions.has(callKey(use))),
  );
  for (let isProven = true; isProven;) {
    isProven = false;
    for (const node of nodes)
      for (const [value, rank] of ruledRanks(model, node, rankOf, shapeOf)) {
        const isNew = rank !== undefined && rank >= 0 && rank <= MAX_RANK && rankOf(value) === undefined;
        if (value === OMITTED || !isNew) continue;
        found.set(value, rank);
        isProven = true;
      }
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

type RuledRanks = (readonly [ValueIndex, number | undefined])[];

function ruledRanks(
  model: Model,
  node: Node,
  rankOf: (value: ValueIndex) => number | undefined,
  shapeOf: ShapeOf,
): RuledRanks {
  const { opType, inputs, outputs } = node;
  const same = (values: readonly ValueIndex[]): RuledRanks => {
    const rank = values.map(rankOf).find((known) => known !== undefined);
    return values.map((value) => [value, rank]);
  };
  const lengthAt = (place: number): number | undefined => {
    const shape = place < inputs.length ? shapeOf(inputs[place]) : null;
    const [size] = shape?.length === 1 ? shape : [];
    return typeof size === 'number' ? size : undefined;
  };
  const [input, second] = inputs;
  const [result] = outputs;
  const sizes = SIZES.get(opType);
  if (sizes !== undefined) {
    const length = lengthAt(sizes);
    const least = opType === 'Expand' ? rankOf(input) : 0;
    return [[result, length === undefined || least === undefined ? undefined : Math.max(length, least)]];
  }
  const fixed = FIXED_RANK.get(opType);
  if (fixed !== undefined) return [[result, fixed]];
  if (opType === 'Concat') return same([result, ...inputs]);
  if (SAME_RANK.has(opType)) return same([input, result]);
  if (CONVOLUTIONS.has(opType)) return same([second, input, result]);
  if (opType === 'Transpose') {
    if (rankOf(input) !== undefined && rankOf(result) !== undefined) return [];
    const order = nodeAttributes(model, node).get('perm')?.integers;
    return order === undefined
      ? same([input, result])
      : [input, result].map((value) => [value, order.length] as const);
  }
  if (opType !== 'Unsqueeze') return [];
  const added = lengthAt(1) ?? NaN;
  return [
    [result, (rankOf(input) ?? NaN) + added],
    [input, (rankOf(result) ?? NaN) - added],
  ];
}
