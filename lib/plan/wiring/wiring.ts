/** Determines what each slice contains, what it reads and from where, and what it writes. */
import type { TensorSource } from '../../../contract/slice-manifest';
import type { Graph, NodeIndex, ValueIndex } from '../../onnx/model';
import { type Dataflow, repeatedClosure } from '../../dataflow/dataflow';

/** By slice: the nodes that are assigned to it. */
export type Groups = readonly (readonly NodeIndex[])[];

/** A value and where it comes from. */
export interface SourcedValue {
  readonly value: ValueIndex;
  readonly source: TensorSource;
}

export interface SliceWiring {
  /** The nodes that only this slice runs. */
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
  readonly outputs: readonly ValueIndex[];
  /** Declared as outputs but never fetched, so that ONNX Runtime keeps the casts before them, see `Dataflow.pinned`. */
  readonly pinned: readonly ValueIndex[];
}

export interface Wiring {
  readonly slices: readonly SliceWiring[];
  /** The model's outputs in its order. */
  readonly results: readonly SourcedValue[];
}

/** Groups of nodes with their wiring. */
export interface WiredCut {
  readonly groups: Groups;
  /** The data flow in which the nodes that are in no group are repeated. */
  readonly dataflow: Dataflow;
  readonly wiring: Wiring;
}

/** Wires groups of nodes into slices. Each group is contiguous in one topological order. */
export function wireSlices(dataflow: Dataflow, groups: Groups): Wiring {
  const { graph } = dataflow.model;
  const sliceOf = sliceOfValues(graph, groups);
  const results = wireResults(graph, sliceOf, groups.length - 1);
  const resultsOf = valuesBySlice(results, groups.length);
  const contents = groups.map((nodes, slice) => contentsOf(dataflow, nodes, resultsOf[slice]));
  const inputs = contents.map(({ needed }, slice) => wireInputs(graph, needed, slice, sliceOf));
  const outputsOf = valuesBySlice([...results, ...inputs.flat()], groups.length);
  const slices = groups.map((nodes, slice): SliceWiring => {
    const { held, needed } = contents[slice];
    const outputs = outputsOf[slice];
    const initializers = sorted([...needed].filter((value) => isInitializer(graph, value)));
    const values = held.flatMap((node) => graph.nodes[node].outputs);
    return {
      nodes,
      allNodes: withUnusedCasts(dataflow, held),
      initializers,
      inputs: inputs[slice],
      defaults: initializers.filter((value) => graph.values[value].input !== undefined),
      outputs: sorted([...outputs]),
      pinned: values.filter((value) => dataflow.pinned.has(value) && !outputs.has(value)),
    };
  });
  return { slices, results };
}

/** The slice that computes a value; `undefined` for inputs, initializers and results of repeated nodes. */
type SliceOf = (value: ValueIndex) => number | undefined;

function sliceOfValues(graph: Graph, groups: Groups): SliceOf {
  const sliceOfNode = new Map(groups.flatMap((nodes, slice) => nodes.map((node) => [node, slice] as const)));
  return (value) => {
    const { producer } = graph.values[value];
    return producer === undefined ? undefined : sliceOfNode.get(producer);
  };
}

/** The last slice computes the results that depend on constants alone. */
function wireResults(graph: Graph, sliceOf: SliceOf, last: number): SourcedValue[] {
  return graph.outputs.map(({ value }) => {
    if (graph.values[value].input !== undefined && !isInitializer(graph, value))
      return { value, source: { from: 'request' } };
    return { value, source: { from: 'slice', slice: sliceOf(value) ?? last } };
  });
}

interface SliceContents {
  /** The slice's own nodes, then the repeated nodes that it needs. */
  readonly held: readonly NodeIndex[];
  /** The values that these nodes need, and results that are initializers. */
  readonly needed: ReadonlySet<ValueIndex>;
}

function contentsOf(
  dataflow: Dataflow,
  nodes: readonly NodeIndex[],
  results: ReadonlySet<ValueIndex>,
): SliceContents {
  const { needs, model } = dataflow;
  const needed = new Set(nodes.flatMap((node) => needs[node]));
  const repeated = repeatedClosure(dataflow, [...needed, ...results]);
  for (const node of repeated) for (const value of needs[node]) needed.add(value);
  for (const value of results) if (isInitializer(model.graph, value)) needed.add(value);
  return { held: [...nodes, ...repeated], needed };
}

/** The needed values that the request or an earlier slice provides. */
function wireInputs(
  graph: Graph,
  needed: ReadonlySet<ValueIndex>,
  slice: number,
  sliceOf: SliceOf,
): SourcedValue[] {
  const inputs: SourcedValue[] = [];
  for (const value of sorted([...needed])) {
    if (isInitializer(graph, value)) continue;
    if (graph.values[value].input !== undefined) {
      inputs.push({ value, source: { from: 'request' } });
      continue;
    }
    const from = sliceOf(value);
    if (from !== undefined && from !== slice) inputs.push({ value, source: { from: 'slice', slice: from } });
  }
  return inputs;
}

/** By slice: the listed values that it provides. */
function valuesBySlice(list: readonly SourcedValue[], slices: number): ReadonlySet<ValueIndex>[] {
  const values = Array.from({ length: slices }, () => new Set<ValueIndex>());
  for (const { value, source } of list) if (source.from === 'slice') values[source.slice].add(value);
  return values;
}

function withUnusedCasts(dataflow: Dataflow, held: readonly NodeIndex[]): NodeIndex[] {
  const casts = held.flatMap((node) => dataflow.unusedCasts.get(node) ?? []);
  return inOrder(dataflow, [...new Set([...held, ...casts])]);
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
