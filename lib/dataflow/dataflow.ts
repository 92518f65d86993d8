/** The data flow of a model: which node needs which values, which nodes are constant, and one order to run the nodes in. */
import {
  type Graph,
  type Model,
  type NodeIndex,
  type ValueIndex,
  type Node,
  type OperatorUse,
  nodeLabel,
} from '../onnx/model';
import { cheapNodes, Casts, pinnedValues, unusedCasts, liveNodes } from './casts';
import { roundsByNeighbors } from './crossing';
import { type NodeValues, neededValues, valuesRead, topologicalOrder } from './needs';
import { SlicedInferenceError } from '../errors';
import { callKey, functionsByKey } from '../onnx/local-functions';

export interface Dataflow {
  readonly model: Model;
  /**
   * The nodes that are assigned to slices, each to exactly one: nodes that an output needs and that depend on a graph
   * input. The order is topological and keeps the file's order as far as possible.
   */
  readonly order: readonly NodeIndex[];
  /** By node: whether an output of the model needs it. In a model with float16, `order` has the other nodes too. */
  readonly isLive: readonly boolean[];
  /** By node: its position in a topological order of all nodes. */
  readonly rank: readonly number[];
  /** By node: whether it depends on constants alone. */
  readonly isConstantNode: readonly boolean[];
  /** By node: whether it may run in several slices and computes the same bits in each, see `casts.ts`. */
  readonly isCheap: readonly boolean[];
  /**
   * By node: whether every slice that needs its results runs it again. Constant nodes are repeated, and other nodes may be.
   * Repeated nodes are not in `order`.
   */
  readonly isRepeated: readonly boolean[];
  /** By node: the casts of its results that no output needs; they go into the slices of the node. */
  readonly unusedCasts: ReadonlyMap<NodeIndex, readonly NodeIndex[]>;
  /** Values between casts whose first cast must stay in the slice, see `pinnedValues`. */
  readonly pinned: ReadonlySet<ValueIndex>;
  /** By node: its inputs and the captures of its body graphs. */
  readonly needs: NodeValues;
  /** By node: what a slice that runs it must have besides initializers and repeated nodes, see `valuesRead`. */
  readonly reads: NodeValues;
}

/**
 * Leaves out nodes that no output needs and separates nodes that depend on constants alone. Around float16 it does
 * neither, because ONNX Runtime looks at all neighbors of a value to decide how to compute it.
 *
 * @param isFloat16 whether a value is a float16 tensor
 */
export function analyzeDataflow(
  model: Model,
  isFloat16: (value: ValueIndex) => boolean = () => false,
): Dataflow {
  const { graph } = model;
  const needs = graph.nodes.map(neededValues);
  const sorted = topologicalOrder(graph, needs);
  const rank = new Array<number>(graph.nodes.length).fill(0);
  sorted.forEach((node, position) => (rank[node] = position));
  const random = randomOperators(model);
  const casts = new Casts(model);
  const isLive = liveNodes(graph, needs, casts);
  checkDeterministic(
    graph.nodes.filter((node) => isLive[node.index]),
    random,
  );
  const isConstantNode = constantNodes(graph, needs, sorted, (node) => {
    // A seeded generator continues its sequence from run to run, and ONNX Runtime merges casts of casts with their
    // users: each of these nodes must stay in one slice.
    const { outputs } = graph.nodes[node];
    if (random[node] !== undefined || roundsByNeighbors(model)) return false;
    return !outputs.some((output) => casts.betweenCasts.has(output) || isFloat16(output));
  });
  return {
    model,
    order: sorted.filter((node) => (isLive[node] || model.usesFloat16) && !isConstantNode[node]),
    isLive,
    rank,
    isConstantNode,
    isCheap: cheapNodes(model, casts),
    isRepeated: isConstantNode,
    unusedCasts: unusedCasts(graph, isLive, casts),
    pinned: pinnedValues(graph, needs, casts),
    needs,
    reads: valuesRead(graph, needs, sorted, isConstantNode),
  };
}

export function nodesByRank({ rank }: Pick<Dataflow, 'rank'>): NodeIndex[] {
  return [...rank.keys()].sort((a, b) => rank[a] - rank[b]);
}

/** By data flow, and by the nodes that it repeats: plans that repeat the same ones share what is computed from it. */
const repeating = new WeakMap<Dataflow, Map<string, Dataflow>>();

/** The same data flow with `nodes` repeated: not in `order`, but run again in every slice that needs their results. */
export function withRepeated(dataflow: Dataflow, nodes: ReadonlySet<NodeIndex>): Dataflow {
  if (nodes.size === 0) return dataflow;
  const known = repeating.get(dataflow) ?? new Map<string, Dataflow>();
  repeating.set(dataflow, known);
  const key = [...nodes].sort((a, b) => a - b).join(' ');
  const found = known.get(key) ?? repeated(dataflow, nodes);
  known.set(key, found);
  return found;
}

function repeated(dataflow: Dataflow, nodes: ReadonlySet<NodeIndex>): Dataflow {
  const { model, needs } = dataflow;
  const isRepeated = dataflow.isRepeated.map((repeated, node) => repeated || nodes.has(node));
  const sorted = nodesByRank(dataflow);
  return {
    ...dataflow,
    order: dataflow.order.filter((node) => !nodes.has(node)),
    isRepeated,
    reads: valuesRead(model.graph, needs, sorted, isRepeated),
  };
}

/**
 * The repeated nodes that compute any of `values`, directly or not. A slice holds its own nodes, the repeated nodes of
 * their closure, and initializers.
 */
export function repeatedClosure(dataflow: Dataflow, values: Iterable<ValueIndex>): Set<NodeIndex> {
  const { model, isRepeated, needs } = dataflow;
  const closure = new Set<NodeIndex>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { producer } = model.graph.values[value];
    if (producer === undefined || !isRepeated[producer] || closure.has(producer)) continue;
    closure.add(producer);
    for (const needed of needs[producer]) pending.push(needed);
  }
  return closure;
}

function constantNodes(
  graph: Graph,
  needs: NodeValues,
  sorted: readonly NodeIndex[],
  mayRepeat: (node: NodeIndex) => boolean,
): boolean[] {
  const constant = new Array<boolean>(graph.nodes.length).fill(false);
  for (const node of sorted) {
    if (!mayRepeat(node)) continue;
    constant[node] = needs[node].every((index) => {
      const value = graph.values[index];
      if (value.initializer !== undefined) return true;
      return value.producer !== undefined && constant[value.producer];
    });
  }
  return constant;
}

/** Operators of ai.onnx that draw random numbers. With a `seed`, each session repeats the same sequence from its start. */
const RANDOM_OPERATORS = new Set(
  'Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike'.split(' '),
);

/** From opset 12 on, the inputs of `Dropout` are data, ratio and training_mode. Without training_mode it copies data. */
const DROPOUT_TRAINING_INPUTS = 3;

/** By node: a random operator that it runs, also in bodies and functions; an unseeded one if there are any. */
function randomOperators(model: Model): readonly (OperatorUse | undefined)[] {
  const functions = functionsByKey(model);
  const known = new Map<string, OperatorUse | undefined>();
  // The recursion ends: the parser refuses functions that call themselves or that are nested too deep.
  const among = (uses: readonly OperatorUse[]): OperatorUse | undefined => {
    const found = uses.map((use) => (isRandom(use) ? use : ofFunction(callKey(use))));
    return found.find((use) => use?.seeded === false) ?? found.find((use) => use !== undefined);
  };
  const ofFunction = (key: string): OperatorUse | undefined => {
    const fn = functions.get(key);
    if (fn !== undefined && !known.has(key)) known.set(key, among(fn.operators));
    return known.get(key);
  };
  return model.graph.nodes.map(({ operators }) => among(operators));
}

function checkDeterministic(nodes: readonly Node[], random: readonly (OperatorUse | undefined)[]): void {
  for (const node of nodes) {
    const unseeded = random[node.index];
    if (unseeded === undefined || unseeded.seeded) continue;
    throw new SlicedInferenceError(
      `${nodeLabel(node)} must compute the same result in every run`,
      `an unseeded ${unseeded.opType}`,
      unseeded.opType === 'Dropout'
        ? 'export the model for inference, without training_mode'
        : 'add a `seed` attribute',
    );
  }
}

function isRandom({ domain, opType, inputCount }: OperatorUse): boolean {
  if (domain !== '') return false;
  return RANDOM_OPERATORS.has(opType) || (opType === 'Dropout' && inputCount >= DROPOUT_TRAINING_INPUTS);
}
