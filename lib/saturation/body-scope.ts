/** What a body graph defines, and what is known of the values that its nodes use. */
import { dataTypeName } from '../onnx/data-type';
import type { ParseContext } from '../onnx/external-data';
import { ATTRIBUTE, GRAPH } from '../onnx/fields';
import type { Tensor } from '../onnx/model';
import { readFields } from '../onnx/parse-node';
import { parseValueInfo } from '../onnx/parse-tensor';
import { type ByteSource, type Span, content, fields } from '../onnx/wire';
import { operatorOf } from '../split/operators';
import type { Judged, Known } from './judge';
import { storedTensor } from './stored-weight';

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

export class BodyScope {
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

/** @param span the content of the node's field */
export function readNode(source: ByteSource, span: Span, context: ParseContext): InnerNode {
  const { name, inputs, outputs, attributes, ...operator } = readFields(source, span, context);
  return { span, name, operator: operatorOf(operator), inputs, outputs, attributes };
}
