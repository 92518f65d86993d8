/** Changes the weights of operators in the body graphs of a node, at any depth. Weights of bodies become initializers of the whole graph. */
import { dataTypeName } from '../onnx/data-type';
import { fieldHead } from '../onnx/encode';
import { replaceFields } from '../onnx/external-bodies';
import { ParseContext } from '../onnx/external-data';
import { ATTRIBUTE, GRAPH, NODE } from '../onnx/fields';
import type { Piece, SourceRange, Tensor, TensorWithData } from '../onnx/model';
import { readFields } from '../onnx/parse-node';
import { ownRange, parseTensor, parseValueInfo } from '../onnx/parse-tensor';
import { type ByteSource, type Span, content, fields } from '../onnx/wire';
import { operatorOf } from '../split/operators';
import { type Change, type Judged, type Known, judge } from './judge';
import { storedTensor } from './stored-weight';

export interface BodyHost extends Judged {
  /** The name of the initializer with the numbers of a constant in the other type. */
  flip(change: Change): string;
  /** Notes an operator of the body whose products stay wrong. */
  report(operator: Pick<InnerNode, 'name' | 'operator'>, obstacle: string): void;
}

export interface RewrittenNode {
  /** Absent if the node keeps all of its fields. */
  readonly pieces?: readonly Piece[];
  /** Names that its body graphs use and do not define. */
  readonly freeNames: ReadonlySet<string>;
  /** Bytes of the weights that its bodies no longer have. */
  readonly droppedBytes: number;
}

/** A rewritten node or body, and names that it uses from outside. */
interface Parts {
  readonly pieces: readonly Piece[] | undefined;
  readonly used: readonly string[];
  /** Names of constants in whose place it uses one of the other type. */
  readonly flipped: readonly string[];
}

export interface InnerNode {
  readonly span: Span;
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Span[];
}

/** By operator: the position of an input that has the type of the result. */
const TYPED_BY: ReadonlyMap<string, number> = new Map([
  ...'Identity Reshape Transpose Gather Slice Squeeze Unsqueeze Flatten Concat Relu Clip Max Min MaxPool Pad Expand Tile Split'
    .split(' ')
    .map((operator) => [operator, 0] as const),
  ['Where', 1],
  ['QuantizeLinear', 2],
  ['QLinearMatMul', 7],
  ['QLinearConv', 7],
]);
const MOST_STEPS = 16;

export class BodyRewriter {
  private droppedBytes = 0;
  /** Whether a body has a name of a body around it: ONNX Runtime then computes with the outer value. */
  private hidesNames = false;
  private readonly external: ReadonlyMap<number, TensorWithData>;
  /** Counts nodes and names a second time; resolves nothing, since external tensors are known. */
  private readonly context: ParseContext;

  constructor(
    private readonly source: ByteSource,
    private readonly host: BodyHost,
    pieces: readonly Piece[] = [],
  ) {
    this.external = new Map(externalTensors(pieces));
    this.context = new ParseContext({ resolve: (_, __, length) => ({ file: 0, offset: 0, length }) });
  }

  /** @param node the content of the field of a node of the top-level graph @returns `undefined` if its bodies must stay as they are */
  rewrite(node: Span): RewrittenNode | undefined {
    const { pieces, used } = this.bodies(readNode(this.source, node, this.context), this.host.find);
    const { droppedBytes, hidesNames } = this;
    return hidesNames ? undefined : { ...(pieces && { pieces }), freeNames: new Set(used), droppedBytes };
  }

  /** The node with its bodies rewritten, but not its own inputs. @returns also the names that the bodies use from outside */
  private bodies({ span }: InnerNode, find: Judged['find']): Parts {
    const [used, flipped]: [string[], string[]] = [[], []];
    const pieces = replaceFields<Piece>(this.source, span, (field) => {
      if (field.number !== NODE.attribute) return undefined;
      const inner = replaceFields<Piece>(this.source, content(field), (part) => {
        if (part.number === ATTRIBUTE.t || part.number === ATTRIBUTE.tensors)
          return this.tensor(part.number, content(part));
        if (part.number !== ATTRIBUTE.g && part.number !== ATTRIBUTE.graphs) return undefined;
        const graph = this.graph(content(part), find);
        used.push(...graph.used);
        flipped.push(...graph.flipped);
        return graph.pieces && [{ field: part.number, content: graph.pieces }];
      });
      return inner && [{ field: field.number, content: inner }];
    });
    return { pieces, used, flipped };
  }

  private graph(span: Span, outer: Judged['find']): Parts {
    const body = new Body(
      this.source,
      span,
      this.context,
      (message) => this.read(message),
      outer,
      () => {
        this.hidesNames = true;
      },
    );
    const used = new Set<string>();
    const flipped = new Set<string>();
    const nodes = new Map(
      body.nodes.map((node) => {
        const own = this.node(node, body);
        for (const name of own.used) used.add(name);
        for (const name of own.flipped) flipped.add(name);
        return [node.span.start, own.pieces] as const;
      }),
    );
    for (const name of body.outputs) used.add(name);
    // Below IR version 4, initializers are inputs too.
    const isDropped = (name: string): boolean => flipped.has(name) && !used.has(name) && !body.isInput(name);
    const pieces = replaceFields<Piece>(this.source, span, (field) => {
      const { start } = field.payload;
      if (field.number === GRAPH.node) {
        const constant = body.constantAt(start);
        if (constant !== undefined && isDropped(constant.name)) {
          this.droppedBytes += constant.bytes;
          return [];
        }
        const inner = nodes.get(start);
        return inner && [{ field: GRAPH.node, content: inner }];
      }
      if (field.number !== GRAPH.initializer) return undefined;
      const { name, byteLength } = this.read(content(field));
      if (!isDropped(name)) return this.tensor(GRAPH.initializer, content(field));
      this.droppedBytes += byteLength;
      return [];
    });
    const isOutside = (name: string): boolean => name !== '' && !body.defines(name);
    return { pieces, used: [...used].filter(isOutside), flipped: [...flipped].filter(isOutside) };
  }

  private node(node: InnerNode, body: Body): Parts {
    const find = (name: string): Known => body.find(name);
    const { changes, obstacle } = judge(node, { find, canSaturate: this.host.canSaturate });
    if (obstacle !== undefined) this.host.report(node, obstacle);
    const names = new Map(changes.map((change) => [change.position, this.host.flip(change)]));
    const inner = this.bodies(node, find);
    const inputs = withInputs(node.inputs, names);
    return {
      pieces: names.size === 0 ? inner.pieces : renamedInputs(this.source, node.span, inputs, inner.pieces),
      used: [...inputs, ...inner.used],
      flipped: [...changes.flatMap(({ name }) => name ?? []), ...inner.flipped],
    };
  }

  private tensor(field: number, message: Span): Piece[] | undefined {
    const tensor = this.external.get(message.start);
    return tensor && [{ field, tensor, start: message.start }];
  }

  private read(message: Span): Tensor {
    return this.external.get(message.start) ?? parseTensor(this.source, message, this.context);
  }
}

/** What a body graph defines. */
class Body {
  readonly nodes: readonly InnerNode[];
  readonly outputs: readonly string[];
  private readonly constants: ReadonlyMap<number, InnerNode>;
  private readonly initializers = new Map<string, Span>();
  private readonly producers = new Map<string, InnerNode>();
  private readonly inputTypes = new Map<string, string | undefined>();

  constructor(
    private readonly source: ByteSource,
    span: Span,
    context: ParseContext,
    private readonly read: (message: Span) => Tensor,
    private readonly outer: Judged['find'],
    private readonly onHiddenName: () => void,
  ) {
    const [nodes, outputs]: [InnerNode[], string[]] = [[], []];
    for (const field of fields(source, span)) {
      if (field.number === GRAPH.node) nodes.push(readNode(source, content(field), context));
      if (field.number === GRAPH.initializer)
        this.initializers.set(read(content(field)).name, content(field));
      if (field.number === GRAPH.output) outputs.push(parseValueInfo(source, content(field)).name);
      if (field.number === GRAPH.input) {
        const { name, type } = parseValueInfo(source, content(field));
        this.inputTypes.set(name, type.dataType === undefined ? undefined : dataTypeName(type.dataType));
      }
    }
    for (const node of nodes) for (const output of node.outputs) this.producers.set(output, node);
    this.nodes = nodes;
    const constants = nodes.filter(({ operator, outputs: own }) => operator === 'Constant' && own.length > 0);
    this.constants = new Map(constants.map((node) => [node.span.start, node]));
    this.outputs = outputs;
  }

  isInput(name: string): boolean {
    return this.inputTypes.has(name);
  }

  /** The `Constant` node whose message begins there. */
  constantAt(start: number): { readonly name: string; readonly bytes: number } | undefined {
    const node = this.constants.get(start);
    const tensor = node && this.constantOf(node.outputs[0]);
    return tensor && { name: node.outputs[0], bytes: this.read(tensor).byteLength };
  }

  defines(name: string): boolean {
    return this.initializers.has(name) || this.producers.has(name) || this.inputTypes.has(name);
  }

  find(name: string, steps = 0): Known {
    const stored = this.initializers.get(name) ?? this.constantOf(name);
    if (stored !== undefined) {
      const known = this.known(stored);
      if (!isKnown(this.outer(name))) return known;
      this.onHiddenName();
      return { dtype: known.dtype, obstacle: 'has a name of the graph around its body' };
    }
    if (this.inputTypes.has(name))
      return { dtype: this.inputTypes.get(name), obstacle: 'is an input of a body graph' };
    const producer = this.producers.get(name);
    if (producer === undefined) return this.outer(name);
    return { dtype: this.resultType(producer, steps), obstacle: 'is computed' };
  }

  private known(message: Span): Known {
    const tensor = this.read(message);
    const dtype = dataTypeName(tensor.dataType);
    const stored = storedTensor(this.source, `at ${message.start}`, tensor, message);
    return typeof stored === 'string' ? { dtype, obstacle: stored } : { dtype, stored };
  }

  private constantOf(name: string): Span | undefined {
    const producer = this.producers.get(name);
    if (producer?.operator !== 'Constant') return undefined;
    for (const attribute of producer.attributes)
      for (const field of fields(this.source, attribute))
        if (field.number === ATTRIBUTE.t) return content(field);
    return undefined;
  }

  private resultType({ operator, inputs }: InnerNode, steps: number): string | undefined {
    if (operator === 'DynamicQuantizeLinear') return 'uint8';
    const position = TYPED_BY.get(operator);
    const typed = position === undefined ? undefined : inputs.at(position);
    return typed === undefined || steps > MOST_STEPS ? undefined : this.find(typed, steps + 1).dtype;
  }
}

function isKnown({ dtype, stored, obstacle }: Known): boolean {
  return dtype !== undefined || stored !== undefined || obstacle !== undefined;
}

function* externalTensors(pieces: readonly Piece[]): Generator<[number, TensorWithData]> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array || 'offset' in piece) continue;
    if ('tensor' in piece) yield [piece.start, piece.tensor];
    else yield* externalTensors(piece.content);
  }
}

function readNode(source: ByteSource, span: Span, context: ParseContext): InnerNode {
  const { name, inputs, outputs, attributes, ...operator } = readFields(source, span, context);
  return { span, name, operator: operatorOf(operator), inputs, outputs, attributes };
}

/** The inputs of a node with other names at some positions. */
export function withInputs(inputs: readonly string[], names: ReadonlyMap<number, string>): string[] {
  const length = Math.max(inputs.length, ...[...names.keys()].map((position) => position + 1));
  return Array.from({ length }, (_, position) => names.get(position) ?? inputs.at(position) ?? '');
}

/** A node with these inputs and with the other fields that it has, or those of `rest`. */
export function renamedInputs(
  source: ByteSource,
  node: Span,
  inputs: readonly string[],
  rest?: readonly Piece[],
): Piece[] {
  const encoded = inputs.map((name): Uint8Array => {
    const bytes = Buffer.from(name);
    return Buffer.concat([fieldHead(NODE.input, bytes.length), bytes]);
  });
  const others = rest ?? [ownRange(node)];
  return [...encoded, ...others.flatMap((piece) => withoutInputs(source, node, piece))];
}

function withoutInputs(source: ByteSource, node: Span, piece: Piece): readonly Piece[] {
  if (piece instanceof Uint8Array || !('offset' in piece)) return [piece];
  const span = { start: piece.offset, end: piece.offset + piece.length };
  // A range that was kept begins and ends at fields of the node.
  const isOwn = span.start >= node.start && span.end <= node.end;
  const dropped = isOwn
    ? replaceFields<SourceRange>(source, span, ({ number }) => (number === NODE.input ? [] : undefined))
    : undefined;
  return dropped ?? [piece];
}
