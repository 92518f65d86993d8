/** The data flow of a model: who uses what, what depends on constants alone, and one order to run it in. */
import { SlicedInferenceError } from '../errors';
import type { Graph, Model, Node, NodeIndex, ValueIndex } from '../onnx/model';
import { OMITTED, nodeLabel } from '../onnx/model';
import { cheapNodes } from './cheap-nodes';
import { Casts } from './casts';
import { roundsByNeighbors } from './crossing';
import { checkDeterministic, randomOperators } from './determinism';

export interface Dataflow {
  readonly model: Model;
  /**
   * The nodes that are shared out among slices, in a topological order that keeps the file's order where it can:
   * those that an output needs and that depend on a graph input.
   */
  readonly order: readonly NodeIndex[];
  /** By node: whether an output of the model needs it. Around float16 the others are shared out as well. */
  readonly isLive: readonly boolean[];
  /** Place of each node in a topological order of all nodes. */
  readonly rank: readonly number[];
  /** By node: whether it depends on constants alone. */
  readonly isConstantNode: readonly boolean[];
  /** By node: whether it may run in more than one slice and give the same bits in each, see `cheap-nodes.ts`. */
  readonly isCheap: readonly boolean[];
  /** By node: whether it is in no slice's share and runs again in every slice that needs it, as constant nodes do. */
  readonly isRepeated: readonly boolean[];
  /** By node: the casts of its result, a cast's too, that no output needs. They go where it goes, see `unusedCasts`. */
  readonly unusedCasts: ReadonlyMap<NodeIndex, readonly NodeIndex[]>;
  /** Values between casts that also something else than a cast uses, or that are outputs: their `Cast` stays. */
  readonly pinned: ReadonlySet<ValueIndex>;
  /** By node: the values it needs, captures of its body graphs included, each once. */
  readonly needs: readonly (readonly ValueIndex[])[];
  /** By node: what it and the repeated nodes before it need that neither they make nor constants give, each once. */
  readonly reads: readonly (readonly ValueIndex[])[];
}

/**
 * What no output needs is left out, and what depends on constants alone is set apart; not so around float16, where
 * ONNX Runtime decides by all neighbors of a value how it computes it.
 *
 * @param isFloat16 whether a value is a tensor of float16
 * @throws SlicedInferenceError for a cyclic graph, and for operators whose results cannot be repeated
 */
export function analyzeDataflow(
  model: Model,
  isFloat16: (value: ValueIndex) => boolean = () => false,
): Dataflow {
  const { graph } = model;
  const needs = graph.nodes.map(neededValues);
  const sorted = topologicalOrder(graph, needs);
  const rank = new Array<number>(graph.nodes.length).fill(0);
  sorted.forEach((node, place) => (rank[node] = place));
  const random = randomOperators(model);
  const casts = new Casts(model);
  const live = liveNodes(graph, needs);
  keepCasts(graph, needs, casts, live);
  checkDeterministic(
    graph.nodes.filter((node) => live[node.index]),
    random,
  );
  const isConstantNode = constantNodes(graph, needs, sorted, (node) => {
    // A seeded generator goes on from run to run, and casts of casts are merged with whoever uses them: both stay
    // one node in one slice.
    const { outputs } = graph.nodes[node];
    if (random[node].length > 0 || roundsByNeighbors(model)) return false;
    return !outputs.some((output) => casts.between.has(output) || isFloat16(output));
  });
  const order = sorted.filter((node) => (live[node] || model.usesFloat16) && !isConstantNode[node]);
  const pinned = pinnedValues(graph, needs, casts);
  return {
    model,
    order,
    isLive: live,
    rank,
    isConstantNode,
    isCheap: cheapNodes(model, casts),
    isRepeated: isConstantNode,
    unusedCasts: unusedCasts(graph, live, casts),
    pinned,
    needs,
    reads: valuesRead(graph, needs, sorted, isConstantNode),
  };
}

/** All nodes of the graph in a topological order. */
export function nodesByRank({ rank }: Pick<Dataflow, 'rank'>): NodeIndex[] {
  return [...rank.keys()].sort((a, b) => rank[a] - rank[b]);
}

/** The same data flow, where `nodes` too are in no slice's share and run again in every slice that needs them. */
export function withRepeated(dataflow: Dataflow, nodes: ReadonlySet<NodeIndex>): Dataflow {
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
 * The repeated nodes that compute, directly or not, any of `values`.
 * Together with initializers they are what a slice needs besides its own nodes and its inputs.
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

function neededValues(node: Node): ValueIndex[] {
  const values = new Set([...node.inputs, ...node.captures]);
  values.delete(OMITTED);
  return [...values];
}

function valuesRead(
  graph: Graph,
  needs: readonly (readonly ValueIndex[])[],
  sorted: readonly NodeIndex[],
  isRepeated: readonly boolean[],
): ValueIndex[][] {
  const reads = new Array<ValueIndex[]>(needs.length);
  for (const node of sorted) {
    const found = new Set<ValueIndex>();
    for (const value of needs[node]) {
      const { producer, initializer } = graph.values[value];
      if (initializer !== undefined) continue;
      if (producer !== undefined && isRepeated[producer]) for (const read of reads[producer]) found.add(read);
      else found.add(value);
    }
    reads[node] = [...found];
  }
  return reads;
}

/** Depth first from each node in the file's order: a graph that is sorted stays as it is. */
function topologicalOrder(graph: Graph, needs: readonly (readonly ValueIndex[])[]): NodeIndex[] {
  const UNSEEN = 0;
  const OPEN = 1;
  const DONE = 2;
  const state = new Uint8Array(graph.nodes.length);
  const next = new Int32Array(graph.nodes.length);
  const order: NodeIndex[] = [];
  for (const root of graph.nodes) {
    if (state[root.index] !== UNSEEN) continue;
    const stack = [root.index];
    state[root.index] = OPEN;
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      if (next[node] === needs[node].length) {
        state[node] = DONE;
        order.push(node);
        stack.pop();
        continue;
      }
      const { producer } = graph.values[needs[node][next[node]++]];
      if (producer === undefined || state[producer] === DONE) continue;
      if (state[producer] === OPEN) {
        throw new SlicedInferenceError(
          `${nodeLabel(graph.nodes[producer])} must not depend on itself`,
          'a cyclic graph',
          'the file is damaged; export the model again',
        );
      }
      state[producer] = OPEN;
      stack.push(producer);
    }
  }
  return order;
}

function constantNodes(
  graph: Graph,
  needs: readonly (readonly ValueIndex[])[],
  sorted: readonly NodeIndex[],
  isRepeatable: (node: NodeIndex) => boolean,
): boolean[] {
  const constant = new Array<boolean>(graph.nodes.length).fill(false);
  for (const node of sorted) {
    if (!isRepeatable(node)) continue;
    constant[node] = needs[node].every((index) => {
      const value = graph.values[index];
      if (value.initializer !== undefined) return true;
      return value.producer !== undefined && constant[value.producer];
    });
  }
  return constant;
}

/** The nodes that an output of the graph needs. */
function liveNodes(graph: Graph, needs: readonly (readonly ValueIndex[])[]): boolean[] {
  const live = new Array<boolean>(graph.nodes.length).fill(false);
  const results = graph.outputs.map(({ value }) => value);
  reach(graph, needs, results, live);
  return live;
}

/** A cast of a cast that no output needs goes where that goes. One that needs more than it is shared out like others. */
function keepCasts(
  graph: Graph,
  needs: readonly (readonly ValueIndex[])[],
  { between, taken }: Casts,
  live: boolean[],
): void {
  for (const { index } of graph.nodes) {
    const goesAlong = needs[index].length === 1;
    if (live[index] || goesAlong || !taken[index].some((value) => between.has(value))) continue;
    live[index] = true;
    reach(graph, needs, needs[index], live);
  }
}

/** Marks the nodes that the values come from. */
function reach(
  graph: Graph,
  needs: readonly (readonly ValueIndex[])[],
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

/**
 * Of two casts in a row ONNX Runtime drops the first when nothing but casts uses its result. Where something else
 * does, a slice without that user would lose the cast.
 */
function pinnedValues(
  graph: Graph,
  needs: readonly (readonly ValueIndex[])[],
  { between, taken }: Casts,
): Set<ValueIndex> {
  const results = graph.outputs.map(({ value }) => value);
  const pinned = new Set(results.filter((value) => between.has(value)));
  for (const { index } of graph.nodes) {
    for (const value of needs[index]) {
      if (between.has(value) && !taken[index].includes(value)) pinned.add(value);
    }
  }
  return pinned;
}

/** ONNX Runtime merges a cast with one behind it or not by all users of the value between, used or not. */
function unusedCasts(
  graph: Graph,
  live: readonly boolean[],
  { between, taken }: Casts,
): Map<NodeIndex, NodeIndex[]> {
  const unused = new Map<NodeIndex, NodeIndex[]>();
  for (const { index } of graph.nodes) {
    if (live[index]) continue;
    for (const value of taken[index]) {
      const { producer } = graph.values[value];
      if (producer === undefined || !between.has(value)) continue;
      const casts = unused.get(producer);
      if (casts === undefined) unused.set(producer, [index]);
      else casts.push(index);
    }
  }
  return unused;
}
