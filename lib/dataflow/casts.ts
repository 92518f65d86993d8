/**
 * Finds the casts of a model as ONNX Runtime sees them. ONNX Runtime merges a cast with a cast that follows it even with
 * optimization off. It does so after it has replaced calls of functions by the nodes of the functions, and it also treats
 * some standard operators as functions.
 */
import { callKey, functionsByKey } from '../onnx/local-functions';
import {
  type Graph,
  type LocalFunction,
  type Model,
  type NodeIndex,
  type OperatorUse,
  type ValueIndex,
  OMITTED,
} from '../onnx/model';
import type { NodeValues } from './needs';

interface CastPositions {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const NONE: CastPositions = { inputs: [], outputs: [] };
const CAST: CastPositions = { inputs: [0], outputs: [0] };

/** Standard operators that are casts, or that ONNX Runtime may replace by functions that begin with a cast. */
const OPERATORS: Readonly<Partial<Record<string, CastPositions>>> = {
  Cast: CAST,
  CastLike: CAST,
  GroupNormalization: { inputs: [0], outputs: [] },
  RMSNormalization: { inputs: [0], outputs: [] },
};

/** The casts in a model's top-level nodes. ONNX Runtime does not merge casts in body graphs with casts outside. */
export class Casts {
  /** By node: its inputs that go into a cast. */
  readonly castInputs: NodeValues;
  /** Values that come from one cast and go into another. */
  readonly betweenCasts: ReadonlySet<ValueIndex>;
  private readonly functions: ReadonlyMap<string, LocalFunction>;
  private readonly positionsOfFunctions = new Map<LocalFunction, CastPositions>();

  constructor(model: Model) {
    this.functions = functionsByKey(model);
    const { nodes } = model.graph;
    // The node's own operator comes after those of its body graphs.
    const positions = nodes.map((node) => this.positions(node.operators[node.operators.length - 1]));
    this.castInputs = nodes.map(({ inputs }, node) => at(inputs, positions[node].inputs));
    const castOutputs = new Set(nodes.flatMap(({ outputs }, node) => at(outputs, positions[node].outputs)));
    this.betweenCasts = new Set(this.castInputs.flat().filter((value) => castOutputs.has(value)));
  }

  private positions(use: OperatorUse): CastPositions {
    const fn = this.functions.get(callKey(use));
    if (fn) return this.positionsOfFunction(fn);
    if (use.domain !== '' || !Object.hasOwn(OPERATORS, use.opType)) return NONE;
    return OPERATORS[use.opType] ?? NONE;
  }

  /** The recursion ends: the parser refuses functions that call themselves or that are nested too deep. */
  private positionsOfFunction(fn: LocalFunction): CastPositions {
    const known = this.positionsOfFunctions.get(fn);
    if (known) return known;
    const castInputs = new Set<string>();
    const castOutputs = new Set<string>();
    for (const { use, inputs, outputs } of fn.nodes) {
      const positions = this.positions(use);
      for (const position of positions.inputs) castInputs.add(inputs.at(position) ?? '');
      for (const position of positions.outputs) castOutputs.add(outputs.at(position) ?? '');
    }
    const found = {
      inputs: positionsOf(fn.inputs, castInputs),
      outputs: positionsOf(fn.outputs, castOutputs),
    };
    this.positionsOfFunctions.set(fn, found);
    return found;
  }
}

/**
 * Values between casts that are outputs of the model or that a node other than a cast uses. ONNX Runtime drops the first
 * of two casts in a row if only casts use its result; a slice without the other user would lose that cast.
 */
export function pinnedValues(
  graph: Graph,
  needs: NodeValues,
  { betweenCasts, castInputs }: Casts,
): Set<ValueIndex> {
  const results = graph.outputs.map(({ value }) => value);
  const pinned = new Set(results.filter((value) => betweenCasts.has(value)));
  for (const { index } of graph.nodes) {
    for (const value of needs[index]) {
      if (betweenCasts.has(value) && !castInputs[index].includes(value)) pinned.add(value);
    }
  }
  return pinned;
}

/**
 * By node: the casts of its results that no output needs. Whether ONNX Runtime merges two casts depends on all users of
 * the value between them, unused casts included.
 */
export function unusedCasts(
  graph: Graph,
  live: readonly boolean[],
  { betweenCasts, castInputs }: Casts,
): Map<NodeIndex, NodeIndex[]> {
  const unused = new Map<NodeIndex, NodeIndex[]>();
  for (const { index } of graph.nodes) {
    if (live[index]) continue;
    for (const value of castInputs[index]) {
      const { producer } = graph.values[value];
      if (producer === undefined || !betweenCasts.has(value)) continue;
      const casts = unused.get(producer);
      if (casts === undefined) unused.set(producer, [index]);
      else casts.push(index);
    }
  }
  return unused;
}

function at(values: readonly ValueIndex[], positions: readonly number[]): ValueIndex[] {
  return positions.map((position) => values.at(position) ?? OMITTED).filter((value) => value !== OMITTED);
}

function positionsOf(names: readonly string[], wanted: ReadonlySet<string>): number[] {
  return names.flatMap((name, position) => (wanted.has(name) ? [position] : []));
}

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

export function cheapNodes(model: Model, { betweenCasts }: Casts): boolean[] {
  // How ONNX Runtime computes a float16 value depends on the neighbors of the value.
  if (model.usesFloat16) return model.graph.nodes.map(() => false);
  return model.graph.nodes.map(
    ({ domain, opType, inputs, outputs }) =>
      domain === '' &&
      CHEAP_OPERATORS.has(opType) &&
      ![...inputs, ...outputs].some((value) => betweenCasts.has(value)),
  );
}

/**
 * By node: whether an output needs it.
 *
 * An unused cast of a cast counts as needed if it reads more than one value. With one value it follows the producer of
 * that value into its slice, see `unusedCasts`; with more values it is assigned to a slice like any other node.
 */
export function liveNodes(graph: Graph, needs: NodeValues, { betweenCasts, castInputs }: Casts): boolean[] {
  const live = new Array<boolean>(graph.nodes.length).fill(false);
  const results = graph.outputs.map(({ value }) => value);
  markProducers(graph, needs, results, live);
  for (const { index } of graph.nodes) {
    const followsProducer = needs[index].length === 1;
    if (live[index] || followsProducer || !castInputs[index].some((value) => betweenCasts.has(value)))
      continue;
    live[index] = true;
    markProducers(graph, needs, needs[index], live);
  }
  return live;
}

function markProducers(
  graph: Graph,
  needs: NodeValues,
  values: readonly ValueIndex[],
  live: boolean[],
): void {
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { producer } = graph.values[value];
    if (producer === undefined || live[producer]) continue;
    live[producer] = true;
    for (const needed of needs[producer]) pending.push(needed);
  }
}
