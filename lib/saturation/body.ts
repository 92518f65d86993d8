/** Changes the weights of operators in the body graphs of a node, at any depth. Weights of bodies become initializers of the whole graph. */
import { textField } from '../onnx/encode';
import { replaceFields } from '../onnx/external-bodies';
import { ParseContext } from '../onnx/external-data';
import { ATTRIBUTE, GRAPH, NODE } from '../onnx/fields';
import type { Piece, SourceRange, Tensor, TensorWithData } from '../onnx/model';
import { ownRange, parseTensor } from '../onnx/parse-tensor';
import { type ByteSource, type Span, content } from '../onnx/wire';
import { type InnerNode, BodyScope, readNode } from './body-scope';
import { type Change, type Judged, type Known, judge } from './judge';

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
    const body = new BodyScope(
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

  private node(node: InnerNode, body: BodyScope): Parts {
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

function* externalTensors(pieces: readonly Piece[]): Generator<[number, TensorWithData]> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array || 'offset' in piece) continue;
    if ('tensor' in piece) yield [piece.start, piece.tensor];
    else yield* externalTensors(piece.content);
  }
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
  const encoded = inputs.map((name) => textField(NODE.input, name));
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
