/** Reads attributes and bodies of nodes from the model's file, as far as ranks depend on them. */
import { ATTRIBUTE, GRAPH, NODE, TENSOR, VALUE_INFO } from '../onnx/fields';
import { text } from '../onnx/parse-tensor';
import type { ByteSource, Span } from '../onnx/wire';
import { content, fields, integer, integers } from '../onnx/wire';

/** A node of a body. */
export interface BodyNode {
  readonly opType: string;
  readonly domain: string;
  /** Names of values; `''` for an omitted one. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** By name. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  /** Not exact if negative. */
  readonly integer?: number;
  /** Not exact if negative, but as many. */
  readonly integers: readonly number[];
  readonly tensor?: TensorHead;
  readonly body?: Span;
}

export interface TensorHead {
  readonly name: string;
  readonly dims: readonly number[];
}

export interface Body {
  readonly nodes: readonly BodyNode[];
  readonly initializers: readonly TensorHead[];
  readonly outputs: readonly string[];
}

/** @param field the field of a graph that holds the node */
export function attributesOf(
  source: ByteSource,
  field: { readonly offset: number; readonly length: number },
): ReadonlyMap<string, Attribute> {
  const [whole] = fields(source, { start: field.offset, end: field.offset + field.length });
  return bodyNode(source, content(whole)).attributes;
}

export function readBody(source: ByteSource, span: Span): Body {
  const nodes: BodyNode[] = [];
  const initializers: TensorHead[] = [];
  const outputs: string[] = [];
  for (const field of fields(source, span)) {
    if (field.number === GRAPH.node) nodes.push(bodyNode(source, content(field)));
    if (field.number === GRAPH.initializer) initializers.push(tensorHead(source, content(field)));
    if (field.number === GRAPH.output) outputs.push(nameOf(source, content(field), VALUE_INFO.name));
  }
  return { nodes, initializers, outputs };
}

function bodyNode(source: ByteSource, span: Span): BodyNode {
  let opType = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  for (const field of fields(source, span)) {
    if (field.number === NODE.opType) opType = text(source, field);
    if (field.number === NODE.domain) domain = text(source, field);
    if (field.number === NODE.input) inputs.push(text(source, field));
    if (field.number === NODE.output) outputs.push(text(source, field));
    if (field.number === NODE.attribute) {
      const attribute = content(field);
      attributes.set(nameOf(source, attribute, ATTRIBUTE.name), attributeIn(source, attribute));
    }
  }
  return { opType, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

function attributeIn(source: ByteSource, span: Span): Attribute {
  const list: number[] = [];
  let tensor: TensorHead | undefined;
  let body: Span | undefined;
  let own: number | undefined;
  for (const field of fields(source, span)) {
    if (field.number === ATTRIBUTE.i) own = integer(field);
    if (field.number === ATTRIBUTE.ints) for (const item of integers(source, field)) list.push(item);
    if (field.number === ATTRIBUTE.t) tensor = tensorHead(source, content(field));
    if (field.number === ATTRIBUTE.g) body = content(field);
  }
  return {
    integers: list,
    ...(own !== undefined && { integer: own }),
    ...(tensor && { tensor }),
    ...(body && { body }),
  };
}

function tensorHead(source: ByteSource, span: Span): TensorHead {
  const dims: number[] = [];
  for (const field of fields(source, span))
    if (field.number === TENSOR.dims) for (const size of integers(source, field)) dims.push(size);
  return { name: nameOf(source, span, TENSOR.name), dims };
}

function nameOf(source: ByteSource, span: Span, number: number): string {
  let name = '';
  for (const field of fields(source, span)) if (field.number === number) name = text(source, field);
  return name;
}
