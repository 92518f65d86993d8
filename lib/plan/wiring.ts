/** What each slice of a cut model holds, reads and gives. */
import type { TensorSource } from '../../contract/slice-manifest';
import type { NodeIndex, ValueIndex } from '../onnx/model';
import type { Dataflow } from '../dataflow/dataflow';
import { repeatedClosure } from '../dataflow/dataflow';

/** A value and where it comes from. */
export interface SourcedValue {
  readonly value: ValueIndex;
  readonly source: TensorSource;
}

export interface SliceWiring {
  /** The nodes that only this slice runs. */
  readonly nodes: readonly NodeIndex[];
  /** All nodes of the slice in a topological order: its own, repeated ones that it needs, unused casts. */
  readonly allNodes: readonly NodeIndex[];
  readonly initializers: readonly ValueIndex[];
  readonly inputs: readonly SourcedValue[];
  /** Inputs with a default that the slice uses; they are declared and keep their initializer. */
  readonly defaults: readonly ValueIndex[];
  readonly outputs: readonly ValueIndex[];
  /** Declared as outputs too, but never fetched: what ONNX Runtime would otherwise leave out, see `Dataflow.pinned`. */
  readonly pinned: readonly ValueIndex[];
}

export interface Wiring {
  readonly slices: readonly SliceWiring[];
  /** The model's outputs in its order. */
  readonly results: readonly SourcedValue[];
}

/** Groups of nodes, with what follows from them. */
export interface WiredCut {
  readonly groups: readonly (readonly NodeIndex[])[];
  /** With the nodes repeated that are in no group. */
  readonly dataflow: Dataflow;
  readonly wiring: Wiring;
}

/** Wires groups of nodes, each contiguous in one topological order, into slices. */
export function wireSlices(dataflow: Dataflow, groups: readonly (readonly NodeIndex[])[]): Wiring {
  const { graph } = dataflow.model;
  const last = groups.length - 1;
  const sliceOfNode = new Map<NodeIndex, number>();
  groups.forEach((nodes, slice) => {
    for (const node of nodes) sliceOfNode.set(node, slice);
  });
  const maker = (value: ValueIndex): number | undefined => {
    const { producer } = graph.values[value];
    return producer === undefined ? undefined : sliceOfNode.get(producer);
  };

  const results = graph.outputs.map(({ value }): SourcedValue => {
    const { input, initializer } = graph.values[value];
    if (input !== undefined && initializer === undefined) return { value, source: { from: 'request' } };
    // Constants are made by whoever needs them: results by the last slice.
    return { value, source: { from: 'slice', slice: maker(value) ?? last } };
  });

  const outputs = groups.map(() => new Set<ValueIndex>());
  for (const { value, source } of results) if (source.from === 'slice') outputs[source.slice].add(value);

  const slices = groups.map((nodes, slice) => {
    const needed = new Set(nodes.flatMap((node) => dataflow.needs[node]));
    const closure = repeatedClosure(dataflow, [...needed, ...outputs[slice]]);
    for (const node of closure) for (const value of dataflow.needs[node]) needed.add(value);
    for (const value of outputs[slice]) if (graph.values[value].initializer !== undefined) needed.add(value);

    const inputs: SourcedValue[] = [];
    for (const value of needed) {
      const { input, initializer } = graph.values[value];
      if (initializer !== undefined) continue;
      if (input !== undefined) {
        inputs.push({ value, source: { from: 'request' } });
        continue;
      }
      const from = maker(value);
      if (from === undefined || from === slice) continue;
      inputs.push({ value, source: { from: 'slice', slice: from } });
      outputs[from].add(value);
    }
    inputs.sort((a, b) => a.value - b.value);
    const initializers = [...needed].filter((value) => graph.values[value].initializer !== undefined);
    const held = [...nodes, ...closure];
    const casts = held.flatMap((node) => dataflow.unusedCasts.get(node) ?? []);
    const made = held.flatMap((node) => graph.nodes[node].outputs);
    const allNodes = [...new Set([...held, ...casts])].sort((a, b) => dataflow.rank[a] - dataflow.rank[b]);
    return {
      nodes,
      allNodes,
      pinned: made.filter((value) => dataflow.pinned.has(value) && !outputs[slice].has(value)),
      inputs,
      initializers: initializers.sort((a, b) => a - b),
      defaults: initializers.filter((value) => graph.values[value].input !== undefined),
    };
  });
  return {
    slices: slices.map((slice, index) => ({ ...slice, outputs: [...outputs[index]].sort((a, b) => a - b) })),
    results,
  };
}
