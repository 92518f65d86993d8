/**
 * Changes the constant weights that some x86 processors would multiply wrongly: int8 becomes uint8 with 128 added, and so do the zero points, so
 * every product stays the same exactly. No weight is loaded: the new one is a range of the model's bytes whose highest bits are flipped while a
 * slice is copied.
 */
import { quoted } from '../errors';
import { dataTypeName } from '../onnx/data-type';
import { calledFunctions } from '../onnx/local-functions';
import { FREE_INITIALIZERS_IR_VERSION } from '../onnx/encode-model';
import { ATTRIBUTE, NODE } from '../onnx/fields';
import { type UnlinkedInitializer, type UnlinkedNode, linkGraph, unlinkGraph } from '../onnx/link-graph';
import { type Model, type Node, type ValueIndex, OMITTED, nodeLabel } from '../onnx/model';
import { type Span, ByteSource, content, fields } from '../onnx/wire';
import type { ValueType, ValueTypes } from '../shapes/value-types';
import { newName } from '../split/new-nodes';
import { operatorOf } from '../split/operators';
import { type RewrittenNode, BodyRewriter, renamedInputs, withInputs } from './body';
import type { InnerNode } from './body-scope';
import { type Change, type Known, type Verdict, judge } from './judge';
import { otherType, saturatingOperator } from './operators';
import { type StoredTensor, flipped, flippedZero, storedTensor, weightCanSaturate } from './stored-weight';

/** What x86 processors without VNNI would compute wrongly in a model. */
export interface Saturation {
  /** Constant weights that can be rewritten so that their products are exact. */
  readonly weights: number;
  /** Operators whose products stay wrong. */
  readonly remaining: readonly InexactOperator[];
}

export interface InexactOperator {
  /** Names the node, or the node that has it in a body graph. */
  readonly node: string;
  /** The end of a sentence that begins with the node. */
  readonly reason: string;
}

export interface ExactGraph {
  readonly model: Model;
  readonly types: ValueTypes;
  readonly saturation: Saturation;
}

/** Whether an operator that may saturate is among those of a node, its bodies or a function. */
export function isAffected({ operators }: Pick<Node, 'operators'>): boolean {
  return operators.some((use) => saturatingOperator(operatorOf(use)) !== undefined);
}

/** @returns the model as it is if its weights cannot saturate */
export function exactIntegers(model: Model, types: ValueTypes): ExactGraph {
  const called = calledFunctions(model, model.graph.nodes);
  if (!model.graph.nodes.some(isAffected) && !called.some(isAffected))
    return { model, types, saturation: { weights: 0, remaining: [] } };
  const rewriter = new Rewriter(model, types);
  try {
    return rewriter.rewrite();
  } finally {
    rewriter.close();
  }
}

/** Of a constant of the top-level graph. */
function keyOf(name: string): string {
  return `named ${name}`;
}

class Rewriter {
  private readonly source: ByteSource;
  private readonly indexes: ReadonlyMap<string, ValueIndex>;
  /** By key of a constant: whether its bytes can saturate. */
  private readonly saturates = new Map<string, boolean>();
  /** By key of a constant, or by type of a zero point that an operator does not have: the initializer of the other type. */
  private readonly added = new Map<string, UnlinkedInitializer>();
  /** Those of all values, also of values in bodies. */
  private readonly names: Set<string>;
  private readonly weights = new Set<string>();
  private readonly remaining: InexactOperator[] = [];

  constructor(
    private readonly model: Model,
    private readonly types: ValueTypes,
  ) {
    this.source = new ByteSource(model.files[0].path);
    this.indexes = new Map(model.graph.values.map(({ name }, index) => [name, index]));
    this.names = new Set([...this.indexes.keys(), ...model.bodyNames]);
  }

  close(): void {
    this.source.close();
  }

  rewrite(): ExactGraph {
    const { graph } = this.model;
    const parsed = unlinkGraph(graph);
    const verdicts = new Map(
      graph.nodes.filter(isAffected).map((node) => [node.index, this.verdict(node)] as const),
    );
    const replaced = this.replaceable(verdicts);
    const nodes = parsed.nodes.map((node, index) => {
      const verdict = verdicts.get(index);
      return verdict === undefined ? node : this.rewritten(graph.nodes[index], node, verdict, replaced);
    });
    for (const { name, operators } of calledFunctions(this.model, graph.nodes)) {
      const operator = operators.map(operatorOf).find((each) => saturatingOperator(each) !== undefined);
      const reason = `calls ${operator}, which is not rewritten in functions`;
      if (operator !== undefined) this.remaining.push({ node: `function ${quoted(name)}`, reason });
    }
    const saturation = { weights: this.weights.size, remaining: this.remaining };
    if (this.weights.size === 0) return { model: this.model, types: this.types, saturation };
    const kept = parsed.initializers.map((initializer) => {
      const { name } = initializer.tensor;
      return (replaced.has(name) ? this.added.get(keyOf(name)) : undefined) ?? initializer;
    });
    const others = [...this.added.values()].filter(({ tensor }) => !replaced.has(tensor.name));
    const linked = linkGraph({ ...parsed, nodes, initializers: [...kept, ...others] });
    return {
      model: { ...this.model, graph: linked },
      types: this.typesOf(linked.values.map(({ name }) => name)),
      saturation,
    };
  }

  private verdict(node: Node): Verdict {
    const { values } = this.model.graph;
    const inputs = node.inputs.map((input) => (input === OMITTED ? '' : values[input].name));
    const verdict = judge({ operator: operatorOf(node), inputs }, this.judged);
    if (verdict.obstacle !== undefined)
      this.remaining.push({ node: nodeLabel(node), reason: verdict.obstacle });
    return verdict;
  }

  private readonly judged = {
    find: (name: string): Known => this.find(name),
    canSaturate: (weight: StoredTensor): boolean => {
      const known = this.saturates.get(weight.key) ?? weightCanSaturate(this.model, weight);
      this.saturates.set(weight.key, known);
      return known;
    },
  };

  /** Constants all of whose uses are changed: they keep their names. */
  private replaceable(verdicts: ReadonlyMap<number, Verdict>): ReadonlySet<string> {
    const { nodes, values, outputs } = this.model.graph;
    const uses = new Map<ValueIndex, number>();
    const count = (value: ValueIndex, by = 1): unknown => uses.set(value, (uses.get(value) ?? 0) + by);
    for (const { inputs, captures } of nodes) for (const value of [...inputs, ...captures]) count(value);
    for (const { value } of outputs) count(value);
    const changed = [...verdicts.values()].flatMap(({ changes }) =>
      changes.flatMap(({ name }) => name ?? []),
    );
    for (const name of changed) count(this.indexes.get(name) ?? OMITTED, -1);
    return new Set(
      changed.filter((name) => {
        const index = this.indexes.get(name) ?? OMITTED;
        return (
          uses.get(index) === 0 &&
          values[index].initializer !== undefined &&
          values[index].input === undefined
        );
      }),
    );
  }

  private rewritten(
    node: Node,
    { parsed, field }: UnlinkedNode,
    { changes }: Verdict,
    replaced: ReadonlySet<string>,
  ): UnlinkedNode {
    const names = new Map(changes.map((change) => [change.position, this.flip(change, replaced)]));
    const span = this.contentOf(field);
    const bodies = this.bodies(node, span);
    const inputs = withInputs(parsed.inputs, names);
    const isRenamed = inputs.some((name, position) => name !== parsed.inputs.at(position));
    if (!isRenamed && bodies.pieces === undefined) return { parsed, field };
    const kept = bodies.pieces ?? node.pieces;
    const pieces = isRenamed ? renamedInputs(this.source, span, inputs, kept) : kept;
    return {
      parsed: {
        ...parsed,
        inputs,
        freeNames: bodies.freeNames,
        heldBytes: parsed.heldBytes - bodies.droppedBytes,
        ...(pieces && { pieces }),
      },
      field,
    };
  }

  private bodies(node: Node, span: Span): RewrittenNode {
    const host = {
      ...this.judged,
      flip: (change: Change) => this.flip(change),
      report: ({ name, operator }: Pick<InnerNode, 'name' | 'operator'>, obstacle: string) => {
        const inner = name === '' ? operator : `${operator} ${quoted(name)}`;
        this.remaining.push({
          node: nodeLabel(node),
          reason: `has ${inner} in a body graph, which ${obstacle}`,
        });
      },
    };
    const [added, weights] = [this.added.size, this.weights.size];
    const rewritten = new BodyRewriter(this.source, host, node.pieces).rewrite(span);
    if (rewritten !== undefined) return rewritten;
    // Its bodies stay as they are, so nothing needs what was added for them.
    for (const key of [...this.added.keys()].slice(added)) this.added.delete(key);
    for (const key of [...this.weights].slice(weights)) this.weights.delete(key);
    this.remaining.push({
      node: nodeLabel(node),
      reason: 'has bodies that stay, because their names hide others',
    });
    const { values } = this.model.graph;
    return { freeNames: new Set(node.captures.map((value) => values[value].name)), droppedBytes: 0 };
  }

  private contentOf(field: UnlinkedNode['field']): Span {
    if (field instanceof Uint8Array) throw new Error('a node that was read from a file has a place in it');
    const [whole] = fields(this.source, { start: field.offset, end: field.offset + field.length });
    return content(whole);
  }

  private find(name: string): Known {
    const { graph, irVersion } = this.model;
    const index = this.indexes.get(name);
    if (index === undefined) return {};
    const { dtype } = this.types[index];
    if (this.model.bodyNames.has(name)) return { dtype, obstacle: 'has a name that a body has too' };
    const { initializer, producer, input } = graph.values[index];
    if (input !== undefined && (initializer === undefined || irVersion >= FREE_INITIALIZERS_IR_VERSION))
      return { dtype, obstacle: initializer === undefined ? 'is an input' : 'is an input with a default' };
    const weight = initializer === undefined ? undefined : graph.initializers[initializer];
    const node = producer === undefined ? undefined : graph.nodes[producer];
    const [held, field] = [weight?.tensor ?? node?.constant, (weight ?? node)?.field];
    if (held === undefined || field === undefined) return { dtype, obstacle: 'is computed' };
    const message = weight === undefined ? this.tensorIn(this.contentOf(field)) : this.contentOf(field);
    const stored = storedTensor(this.source, keyOf(name), held, message);
    return typeof stored === 'string'
      ? { dtype, obstacle: stored }
      : { dtype: dataTypeName(held.dataType), stored };
  }

  /** The tensor that a `Constant` node holds. */
  private tensorIn(node: Span): Span {
    for (const attribute of fields(this.source, node))
      if (attribute.number === NODE.attribute)
        for (const field of fields(this.source, content(attribute)))
          if (field.number === ATTRIBUTE.t) return content(field);
    return { start: node.end, end: node.end };
  }

  private flip({ name, stored, type, isWeight }: Change, replaced: ReadonlySet<string> = new Set()): string {
    const key = stored?.key ?? `zero of ${type}`;
    if (isWeight) this.weights.add(key);
    const known = this.added.get(key);
    if (known !== undefined) return known.tensor.name;
    const own =
      name !== undefined && replaced.has(name)
        ? name
        : newName(this.names, `${name ?? 'zero point'} as ${otherType(type)}`);
    const initializer = stored === undefined ? flippedZero(own, type) : flipped(stored, own);
    this.added.set(key, initializer);
    return own;
  }

  private typesOf(names: readonly string[]): ValueTypes {
    const added = new Map([...this.added.values()].map(({ tensor }) => [tensor.name, tensor]));
    return names.map((name): ValueType => {
      const tensor = added.get(name);
      if (tensor !== undefined) return { dtype: dataTypeName(tensor.dataType), shape: tensor.dims };
      return this.types[this.indexes.get(name) ?? 0];
    });
  }
}
