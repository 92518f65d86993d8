/** Checks groups of nodes, and determines what each slice contains, what it reads and from where, and what it writes. */
import type { TensorSource } from '../../../contract/slice-manifest';
import type { Graph, NodeIndex, ValueIndex } from '../../onnx/model';
import { type Dataflow, repeatedClosure, withRepeated } from '../../dataflow/dataflow';
import { SlicedInferenceError, quoted } from '../../errors';
import type { CrossingRule } from '../../dataflow/crossing';

/** By slice: the nodes that are assigned to it. */
export type Groups = readonly (readonly NodeIndex[])[];

export interface SourcedValue {
  readonly value: ValueIndex;
  readonly source: TensorSource;
}

export interface SliceWiring {
  readonly nodes: readonly NodeIndex[];
  /**
   * All nodes of the slice in a topological order: its own, the repeated nodes that it needs, unused casts. Constant nodes
   * are first, see `inOrder`.
   */
  readonly allNodes: readonly NodeIndex[];
  readonly initializers: readonly ValueIndex[];
  readonly inputs: readonly SourcedValue[];
  /** Model inputs with a default that the slice uses: the slice declares them as inputs and has their initializers. */
  readonly defaults: readonly ValueIndex[];
  /** In the order of their object: those with the same readers are neighbors. */
  readonly outputs: readonly ValueIndex[];
  /** Declared as outputs but never fetched, so that ONNX Runtime keeps the casts before them, see `Dataflow.pinned`. */
  readonly pinned: readonly ValueIndex[];
}

export interface Wiring {
  readonly slices: readonly SliceWiring[];
  /** The model's outputs in its order. */
  readonly results: readonly SourcedValue[];
}

export interface WiredCut {
  readonly groups: Groups;
  /** The data flow in which the nodes that are in no group are repeated. */
  readonly dataflow: Dataflow;
  readonly wiring: Wiring;
}

const NONE = -1;

/** By node: its group, or `NONE`. */
function groupOfNodes({ nodes }: Graph, groups: Groups): Int32Array {
  const groupOf = new Int32Array(nodes.length).fill(NONE);
  groups.forEach((own, group) => {
    for (const node of own) groupOf[node] = group;
  });
  return groupOf;
}

/** What a slice reads: the inputs of its session, and if it is the last one the results that it does not compute. */
export function readsOf({ slices, results }: Wiring, slice: number): readonly SourcedValue[] {
  const { inputs } = slices[slice];
  if (slice < slices.length - 1) return inputs;
  const known = new Set(inputs.map(({ value }) => value));
  const others = results.filter(
    ({ value, source }) => !known.has(value) && (source.from === 'request' || source.slice !== slice),
  );
  return [...inputs, ...new Map(others.map((other) => [other.value, other])).values()];
}

/** What a slice writes: if it is the last one all results, whichever slice computes them. */
export function writesOf({ slices, results }: Wiring, slice: number): readonly ValueIndex[] {
  if (slice < slices.length - 1) return slices[slice].outputs;
  return [...new Set(results.map(({ value }) => value))];
}

export function wireSlices(dataflow: Dataflow, groups: Groups): Wiring {
  const { graph } = dataflow.model;
  const groupOf = groupOfNodes(graph, groups);
  const sliceOf = (value: ValueIndex): number | undefined => {
    const { producer } = graph.values[value];
    const slice = producer === undefined ? NONE : groupOf[producer];
    return slice === NONE ? undefined : slice;
  };
  const results = wireResults(graph, sliceOf, groups.length - 1);
  const resultsOf = valuesBySlice(results, groups.length);
  const contents = groups.map((nodes, slice) => contentsOf(dataflow, nodes, resultsOf[slice]));
  const inputs = contents.map(({ needed }, slice) => wireInputs(graph, needed, slice, sliceOf));
  const outputsOf = valuesBySlice([...results, ...inputs.flat()], groups.length);
  const readers = readersByValue(inputs, results);
  const byReaders = (a: ValueIndex, b: ValueIndex): number => {
    const [one, other] = [readers.get(a) ?? '', readers.get(b) ?? ''];
    return one === other ? 0 : one < other ? -1 : 1;
  };
  const slices = groups.map((nodes, slice): SliceWiring => {
    const { held, needed } = contents[slice];
    const outputs = outputsOf[slice];
    const initializers = sorted([...needed].filter((value) => isInitializer(graph, value)));
    const casts = held.flatMap((node) => dataflow.unusedCasts.get(node) ?? []);
    const values = held.flatMap((node) => graph.nodes[node].outputs);
    return {
      nodes,
      allNodes: inOrder(dataflow, [...new Set([...held, ...casts])]),
      initializers,
      inputs: inputs[slice],
      defaults: initializers.filter((value) => graph.values[value].input !== undefined),
      outputs: sorted([...outputs]).sort(byReaders),
      pinned: values.filter((value) => dataflow.pinned.has(value) && !outputs.has(value)),
    };
  });
  return { slices, results };
}

/** The last slice computes the results that depend on constants alone. */
function wireResults(
  graph: Graph,
  sliceOf: (value: ValueIndex) => number | undefined,
  last: number,
): SourcedValue[] {
  return graph.outputs.map(({ value }) => {
    if (graph.values[value].input !== undefined && !isInitializer(graph, value))
      return { value, source: { from: 'request' } };
    return { value, source: { from: 'slice', slice: sliceOf(value) ?? last } };
  });
}

function contentsOf(dataflow: Dataflow, nodes: readonly NodeIndex[], results: ReadonlySet<ValueIndex>) {
  const { needs, model } = dataflow;
  const needed = new Set(nodes.flatMap((node) => needs[node]));
  const repeated = repeatedClosure(dataflow, [...needed, ...results]);
  for (const node of repeated) for (const value of needs[node]) needed.add(value);
  for (const value of results) if (isInitializer(model.graph, value)) needed.add(value);
  return { held: [...nodes, ...repeated], needed };
}

function wireInputs(
  graph: Graph,
  needed: ReadonlySet<ValueIndex>,
  slice: number,
  sliceOf: (value: ValueIndex) => number | undefined,
): SourcedValue[] {
  const inputs: SourcedValue[] = [];
  for (const value of needed) {
    if (isInitializer(graph, value)) continue;
    if (graph.values[value].input !== undefined) {
      inputs.push({ value, source: { from: 'request' } });
      continue;
    }
    const from = sliceOf(value);
    if (from !== undefined && from !== slice) inputs.push({ value, source: { from: 'slice', slice: from } });
  }
  return inputs.sort((a, b) => a.value - b.value);
}

function valuesBySlice(list: readonly SourcedValue[], slices: number): ReadonlySet<ValueIndex>[] {
  const values = Array.from({ length: slices }, () => new Set<ValueIndex>());
  for (const { value, source } of list) if (source.from === 'slice') values[source.slice].add(value);
  return values;
}

/** By value: the slices that read it, ascending, one character each. The last slice reads all results. */
function readersByValue(
  inputs: readonly (readonly SourcedValue[])[],
  results: readonly SourcedValue[],
): ReadonlyMap<ValueIndex, string> {
  const readers = new Map<ValueIndex, string>();
  inputs.forEach((read, slice) => {
    const all = slice === inputs.length - 1 ? [...read, ...results] : read;
    for (const value of new Set(all.map((each) => each.value)))
      readers.set(value, (readers.get(value) ?? '') + String.fromCharCode(slice));
  });
  return readers;
}

/**
 * ONNX Runtime runs the graph backward from its outputs, depth first, and of several inputs first the one whose producer
 * comes last in the file. If a weight's conversion came after the activations, all conversions would run before anything
 * else, and all their results would be in memory at once. Constant nodes at the beginning run just before their first user.
 */
function inOrder({ rank, isConstantNode }: Dataflow, nodes: readonly NodeIndex[]): NodeIndex[] {
  const constants = nodes.filter((node) => isConstantNode[node]);
  const others = nodes.filter((node) => !isConstantNode[node]);
  return [constants, others].flatMap((part) => part.sort((a, b) => rank[a] - rank[b]));
}

function isInitializer({ values }: Graph, value: ValueIndex): boolean {
  return values[value].initializer !== undefined;
}

function sorted(values: readonly ValueIndex[]): ValueIndex[] {
  return [...values].sort((a, b) => a - b);
}

/** @param dataflow the data flow in which only constant nodes are repeated */
export function wireGroups(dataflow: Dataflow, rule: CrossingRule, groups: Groups): WiredCut {
  const own = withRepeated(dataflow, unassignedNodes(dataflow, groups));
  checkGroups(own, rule, groups);
  return { dataflow: own, groups, wiring: wireSlices(own, groups) };
}

/** The cheap nodes in no group. They may differ from the nodes that a space of cuts repeats, if the groups are from a plan. */
function unassignedNodes({ order, isCheap, model }: Dataflow, groups: Groups): Set<NodeIndex> {
  const groupOf = groupOfNodes(model.graph, groups);
  return new Set(order.filter((node) => isCheap[node] && groupOf[node] === NONE));
}

function checkGroups(dataflow: Dataflow, rule: CrossingRule, groups: Groups): void {
  const { model, reads, order } = dataflow;
  const { values } = model.graph;
  const groupOf = groupOfNodes(model.graph, groups);
  const assigned = groups.reduce((sum, nodes) => sum + nodes.length, 0);
  const refused = (limit: string, got: string, advice = 'make a new plan for this model') =>
    new SlicedInferenceError(limit, got, advice);
  if (assigned !== order.length || !order.every((node) => groupOf[node] !== NONE)) {
    const nodes = `the ${order.length} nodes that run in one slice only`;
    throw refused(`the slices must contain each of ${nodes}, exactly once`, `${assigned} nodes`);
  }
  groups.forEach((nodes, group) => {
    for (const value of nodes.flatMap((node) => reads[node])) {
      const { producer, name } = values[value];
      const from = producer === undefined ? NONE : groupOf[producer];
      if (from === NONE || from === group) continue;
      if (from > group) {
        const limit = `slice ${group} must use values that it or an earlier slice computes`;
        throw refused(limit, `${quoted(name)} of slice ${from}`);
      }
      const reason = rule(value);
      if (reason === undefined) continue;
      const got = `${quoted(name)}, which is ${reason}`;
      throw refused('a value that crosses a cut must arrive unchanged', got, 'cut elsewhere');
    }
  });
  const empty = groups.findIndex((nodes) => nodes.length === 0);
  if (empty < 0 || groups.length === 1) return;
  throw refused('each slice must contain at least one node', `none in slice ${empty}`);
}
