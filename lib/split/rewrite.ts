/** Replaces operators by parts that compute some of their columns each, and nodes that join the parts. */
import { SlicedInferenceError } from '../errors';
import { encodeInteger } from '../onnx/encode';
import { type ParsedGraph, type UnlinkedNode, linkGraph, unlinkGraph } from '../onnx/link-graph';
import {
  type Model,
  type Node,
  type NodeIndex,
  type ValueIndex,
  type Graph,
  OMITTED,
  nodeLabel,
} from '../onnx/model';
import { type EncodedAttributes, NewNodes } from './new-nodes';
import { type DividedOperator, dividedOperator, groupsOf, operatorOf } from './operators';
import { splitRows } from './rows';
import type { Attributes, SplitSubject } from './subject';
import { type PartRange, type Split, CannotSplit, rangesOf } from './split';
import { Weights } from './weights';
import { neededValues, topologicalOrder } from '../dataflow/needs';

export interface SplitGraph {
  readonly model: Model;
  /** By the name of an output of a part: the operator of the given model. */
  readonly parts: ReadonlyMap<string, NodeIndex>;
}

/**
 * The model with parts in place of the operators of `splits`. Its weights are ranges of the same files.
 *
 * @throws SlicedInferenceError if a split does not fit its operator
 */
export function splitModel(subject: SplitSubject, splits: readonly Split[]): SplitGraph {
  const { model } = subject;
  if (splits.length === 0) return { model, parts: new Map() };
  const rewriter = new Rewriter(subject);
  const replaced = new Map(splits.map((split) => [split.node, rewriter.nodesOf(split)]));
  const parsed = unlinkGraph(model.graph);
  const nodes = parsed.nodes.flatMap((node, index) => replaced.get(index) ?? [node]);
  const initializers = [...parsed.initializers, ...rewriter.added.initializers];
  const divided = linkGraph(pruned({ ...parsed, nodes, initializers }, rewriter.divided));
  const ordered = withEqualPartsTogether(divided, rewriter.weightOf);
  const graph = linkGraph(unlinkGraph({ ...divided, nodes: ordered }));
  return { model: { ...model, graph }, parts: rewriter.parts };
}

class Rewriter {
  readonly added: NewNodes;
  /** Names of the tensors that were divided, and of what was computed from them: perhaps nothing else needs them. */
  readonly divided = new Set<string>();
  readonly parts = new Map<string, NodeIndex>();
  /** By the name of an output of a part: the name of its part of the weight. */
  readonly weightOf = new Map<string, string>();
  private readonly weights: Weights;

  constructor(private readonly subject: SplitSubject) {
    this.added = new NewNodes(subject.model);
    this.weights = new Weights(subject);
  }

  nodesOf(split: Split): readonly UnlinkedNode[] {
    const node = this.subject.model.graph.nodes[split.node];
    const before = this.added.nodes.length;
    try {
      this.replace(node, split);
    } catch (error) {
      if (!(error instanceof CannotSplit)) throw error;
      throw new SlicedInferenceError(
        `a split operator must have parts that compute its bits`,
        `${nodeLabel(node)}, which ${error.message}`,
        'leave this split out',
      );
    }
    return this.added.nodes.slice(before);
  }

  private replace(node: Node, { axis, parts }: Split): void {
    const attributes = this.subject.attributes(node);
    const operator = dividedOperator(operatorOf(node), attributes);
    if (operator === undefined) throw new CannotSplit('is not known to this library');
    const name = this.nameOf(node.outputs[0]);
    const ranges = rangesOf(parts);
    if (axis === 'rows') {
      const [table, indices] = node.inputs;
      this.note(table);
      splitRows(this.added, ranges, {
        ...{ output: name, indices: this.nameOf(indices) },
        indicesRank: this.rankOf(indices),
        rank: this.weights.dims(table).length,
        gather: (range, local) =>
          this.partOf(node, [this.weights.part(table, 0, range, this.added), local], range, attributes, 0),
      });
      return;
    }
    const outputs = ranges.map((range) => this.part(node, operator, attributes, range));
    this.added.join('Concat', outputs, name, encodeInteger('axis', this.joinAxis(node, operator)));
  }

  private part(node: Node, operator: DividedOperator, attributes: Attributes, range: PartRange): string {
    const groups = operator.grouped === undefined ? 1 : groupsOf(attributes);
    const inputs = node.inputs.map((input, position) => {
      if (input === OMITTED) return '';
      if (groups > 1 && position === operator.grouped) return this.channelsOf(input, groups, range, node);
      const axis = operator.along.get(position);
      if (axis === undefined) return this.nameOf(input);
      this.note(input);
      return this.weights.part(input, axis, range, this.added);
    });
    const own = new Map<string, { readonly encoded: Uint8Array }>(attributes);
    const set = (name: string, value: number): unknown =>
      own.set(name, { encoded: encodeInteger(name, value) });
    if (operator.lengthAttribute !== undefined) set(operator.lengthAttribute, range.end - range.start);
    if (groups > 1) set('group', (groups * (range.end - range.start)) / range.length);
    return this.partOf(node, inputs, range, own, operator.weight);
  }

  private partOf(
    node: Node,
    inputs: readonly string[],
    { start, end }: PartRange,
    attributes: EncodedAttributes,
    weight: number,
  ): string {
    const name = `${this.nameOf(node.outputs[0])}[${start}:${end}]`;
    const output = this.added.copy(node, inputs, name, attributes);
    this.parts.set(output, node.index);
    this.weightOf.set(output, inputs[weight]);
    return output;
  }

  /** The channels of the input that the groups of this part read. */
  private channelsOf(input: ValueIndex, groups: number, range: PartRange, node: Node): string {
    const channels = this.subject.types[input].shape?.at(1);
    if (typeof channels !== 'number') throw new CannotSplit('has groups and an input of unknown channels');
    const [start, end] = [range.start, range.end].map((at) => (at * groups) / range.length);
    if (![start, end].every(Number.isInteger)) throw new CannotSplit('would be divided inside of a group');
    const bounds = [start, end].map((group) => [(group * channels) / groups]);
    const inputs = [...bounds, [1]].map((values) => this.added.integers(values));
    const name = `${this.nameOf(node.outputs[0])}[input ${range.start}:${range.end}]`;
    return this.added.add('Slice', [this.nameOf(input), ...inputs], name);
  }

  /** Concat takes negative axes from opset 11 on. */
  private joinAxis(node: Node, { output }: DividedOperator): number {
    return output >= 0 ? output : this.rankOf(node.outputs[0]) + output;
  }

  private rankOf(value: ValueIndex): number {
    const { shape } = this.subject.types[value];
    if (shape) return shape.length;
    throw new CannotSplit('has an input or output of unknown rank');
  }

  private nameOf(value: ValueIndex): string {
    return this.subject.model.graph.values[value].name;
  }

  private note(value: ValueIndex): void {
    for (const name of this.weights.names(value)) this.divided.add(name);
  }
}

/** Leaves out the divided tensors that no node, input or output needs any more, and the nodes between them and the operators. */
function pruned(graph: ParsedGraph, divided: ReadonlySet<string>): ParsedGraph {
  const isKept = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const usesOf = (nodes: readonly UnlinkedNode[]): Set<string> =>
    new Set(nodes.flatMap(({ parsed }) => [...parsed.inputs, ...parsed.freeNames]));
  let { nodes } = graph;
  let used = usesOf(nodes);
  const isNeeded = (name: string): boolean => !divided.has(name) || isKept.has(name) || used.has(name);
  for (let count = -1; count !== nodes.length;) {
    count = nodes.length;
    nodes = nodes.filter(({ parsed }) => parsed.outputs.some(isNeeded));
    used = usesOf(nodes);
  }
  return { ...graph, nodes, initializers: graph.initializers.filter(({ tensor }) => isNeeded(tensor.name)) };
}

/**
 * The nodes in their order, or in another topological one.
 *
 * @param weightOf by the name of an output of a part: the name of its part of the weight
 */
function withEqualPartsTogether(graph: Graph, weightOf: ReadonlyMap<string, string>): readonly Node[] {
  const { nodes, values } = graph;
  const needs = nodes.map(neededValues);
  const groups = new Map<string, NodeIndex[]>();
  // Two groups never wait for each other, because all nodes of a group have as many parts before them.
  const partsBefore = new Int32Array(nodes.length);
  for (const node of topologicalOrder(graph, needs)) {
    for (const value of needs[node])
      partsBefore[node] = Math.max(partsBefore[node], partsBefore[values[value].producer ?? node]);
    const weight = weightOf.get(values[nodes[node].outputs[0]]?.name);
    if (weight === undefined) continue;
    const key = `${++partsBefore[node]} ${weight}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  const groupOf = new Map<NodeIndex, readonly NodeIndex[]>();
  for (const group of groups.values())
    if (group.length > 1) for (const node of group) groupOf.set(node, group);
  if (groupOf.size === 0) return nodes;
  // What a group needs comes before its first node, so that the others can follow at once.
  const ofGroups = needs.map((own, node) => groupOf.get(node)?.flatMap((each) => needs[each]) ?? own);
  const order = topologicalOrder(graph, ofGroups).flatMap((node) => groupOf.get(node) ?? [node]);
  return [...new Set(order)].map((node) => nodes[node]);
}
