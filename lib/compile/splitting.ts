/** Applies splits to the graph that is cut: those that the caller names, those of a plan, and those that make slices fit. */
import { SlicedInferenceError, quoted } from '../errors';
import { type Model, type Node, type NodeIndex, OMITTED, nodeLabel } from '../onnx/model';
import { nodeAttributes } from '../onnx/node-attributes';
import { largestOf } from '../extremes';
import { type SplitGraph, splitModel } from '../split/rewrite';
import type { PlannedSplit, Split } from '../split/split';
import { type Splittable, mostParts, splitInto, threadsOf, waysToSplit } from '../split/splittable';
import type { SplitSubject } from '../split/subject';
import { type TypedGraph, typedGraph } from './cuttable-graph';

/** Which operators the caller wants to be split. */
export interface SplitOptions {
  /** By the name of a node or of a weight: into how many parts; 1 never splits it. */
  readonly named?: Readonly<Record<string, number>> | undefined;
  /** Whether other operators may be split too, if a slice does not fit. @default true */
  readonly others?: boolean | undefined;
}

/** How the operators of a model are split, and which others could be. */
export interface Splitting {
  /** The graph before splits, and what is known of it. */
  readonly subject: SplitSubject;
  readonly splits: readonly PlannedSplit[];
  /** By node of the graph that is cut: the operator before splits that it is or that it is a part of. Nodes that prepare or join parts have none. */
  readonly origins: readonly (NodeIndex | undefined)[];
  /** Whether the search may split this operator, or split it further. */
  mayBeSplit(node: NodeIndex): boolean;
}

export function splitSubject({ model, types }: TypedGraph): SplitSubject {
  const known = new Map<Node, ReturnType<typeof nodeAttributes>>();
  const attributes = (node: Node): ReturnType<typeof nodeAttributes> => {
    const found = known.get(node) ?? nodeAttributes(model, node);
    known.set(node, found);
    return found;
  };
  return { model, types, attributes };
}

/** The graph with these splits. @throws SlicedInferenceError if one does not fit its operator */
export function applySplits(
  unsplit: TypedGraph,
  subject: SplitSubject,
  given: readonly Split[],
  { named = {}, others = true }: SplitOptions,
): TypedGraph & { readonly splitting: Splitting } {
  const splits = [...given].sort((a, b) => a.node - b.node);
  const ways = splits.map((split) => wayOf(subject, split));
  const graph = splitModel(subject, splits);
  const fixed = new Set(Object.keys(named).flatMap((name) => nodesNamed(subject, name)));
  return {
    ...(splits.length === 0 ? unsplit : typedGraph(graph.model)),
    splitting: {
      subject,
      splits: splits.map((split, index) => described(split, ways[index], subject)),
      origins: originsOf(subject, graph),
      mayBeSplit: (node) => others && !fixed.has(node),
    },
  };
}

/** @throws SlicedInferenceError if no operator has the name, or if it cannot be split so */
export function namedSplits(subject: SplitSubject, { named = {} }: SplitOptions): Split[] {
  const splits = new Map<NodeIndex, Split>();
  for (const [name, count] of Object.entries(named)) {
    const refuse: Refusal = (what, got, advice) =>
      new SlicedInferenceError(`split ${quoted(name)} must ${what}`, got, advice);
    if (name === '') throw refuse('have a name', 'none', 'name a node or a weight');
    if (!Number.isInteger(count) || count < 1)
      throw refuse('have 1 part or more', String(count), 'pass a whole number');
    const nodes = nodesNamed(subject, name);
    if (nodes.length === 0) {
      const advice = '`sliced-inference inspect` lists the operators that can be split';
      throw refuse('name a node or a weight of the model', 'a name that it does not have', advice);
    }
    for (const node of count === 1 ? [] : nodes) splits.set(node, splitNamed(subject, node, count, refuse));
  }
  return [...splits.values()];
}

type Refusal = (what: string, got: string, advice: string) => SlicedInferenceError;

function splitNamed(subject: SplitSubject, index: NodeIndex, count: number, refuse: Refusal): Split {
  const node = subject.model.graph.nodes[index];
  const ways = waysToSplit(subject, node);
  if (typeof ways === 'string')
    throw refuse('be of an operator that can be split', `${nodeLabel(node)}, which ${ways}`, 'leave it out');
  const way = ways.find((each) => mostParts(each, 1) >= count);
  if (way !== undefined) return splitInto(way, count);
  const most = largestOf(ways.map((each) => mostParts(each, 1)));
  const got = `${count} parts of ${nodeLabel(node)}, whose bits narrower parts do not keep`;
  throw refuse(`have at most ${most} parts`, got, 'use fewer parts');
}

/** The nodes that have this name or weight; if there are none, those with such an input or output. */
function nodesNamed(subject: SplitSubject, name: string): NodeIndex[] {
  const { nodes, values } = subject.model.graph;
  const named = nodes.filter((node) => {
    if (node.name === name) return true;
    const ways = node.inputs.length < 2 ? '' : waysToSplit(subject, node);
    return typeof ways !== 'string' && ways[0].weight === name;
  });
  const value = values.findIndex((each) => each.name === name);
  const others = nodes.filter(({ inputs, outputs }) => inputs.includes(value) || outputs.includes(value));
  return (named.length > 0 || value < 0 ? named : others).map(({ index }) => index);
}

/** The way of a split that may come from a plan file. */
function wayOf(subject: SplitSubject, { node: index, axis, parts }: Split): Splittable {
  const node = subject.model.graph.nodes.at(index);
  const ways = node === undefined ? 'is not in the model' : waysToSplit(subject, node);
  const way = typeof ways === 'string' ? undefined : ways.find((each) => each.axis === axis);
  if (way !== undefined && threadsOf(way, parts) >= 1) return way;
  const reason =
    typeof ways === 'string'
      ? `node ${index}, which ${ways}`
      : `${parts.length} parts by ${axis} of ${node === undefined ? index : nodeLabel(node)}, which are not all of it or have other bits`;
  throw new SlicedInferenceError(
    'a split of the plan must be one that keeps the bits of the model',
    reason,
    'make a new plan for this model',
  );
}

function described(split: Split, way: Splittable, { model }: SplitSubject): PlannedSplit {
  const { name, opType, outputs } = model.graph.nodes[split.node];
  const threads = threadsOf(way, split.parts);
  return {
    ...split,
    name: name === '' ? model.graph.values[outputs[0]].name : name,
    ...{ operator: opType, weight: way.weight, weightBytes: way.weightBytes },
    ...(Number.isFinite(threads) && { mostThreads: threads }),
  };
}

function originsOf({ model }: SplitSubject, { model: split, parts }: SplitGraph): (NodeIndex | undefined)[] {
  const nameOf = ({ graph }: Model, { outputs }: Node): string =>
    outputs.flatMap((output) => (output === OMITTED ? [] : graph.values[output].name)).at(0) ?? '';
  const before = new Map(model.graph.nodes.map((node) => [nameOf(model, node), node]));
  return split.graph.nodes.map((node) => {
    const name = nameOf(split, node);
    const origin = before.get(name);
    return parts.get(name) ?? (origin?.opType === node.opType ? origin.index : undefined);
  });
}
