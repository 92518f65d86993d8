/** Reads a model into a tree of protobuf fields, and writes such a tree, whether it is valid or not. */
import { Reader, type Type } from 'protobufjs';
import { ModelProto } from '../../../bench/onnx-schema';
import { ATTRIBUTE, GRAPH, NODE, WIRE_TYPE } from '../../../lib/onnx/fields';

export interface WireField {
  number: number;
  wireType: number;
  /** `dim`, `elementType`, `integer`, `text`, `bytes` or the name of a message; empty if it is unknown. */
  kind: string;
  /** A varint, the bytes of a leaf, or the fields of a message. */
  content: bigint | Uint8Array | WireField[];
  /** A length to write instead of the real one. */
  falseLength?: bigint;
}

ModelProto.root.resolveAll();

const KINDS: Readonly<Partial<Record<string, string>>> = {
  dims: 'dim',
  dimValue: 'dim',
  dataType: 'elementType',
  elemType: 'elementType',
  int32: 'integer',
  int64: 'integer',
  string: 'text',
};

/** Reads a well-formed message. */
export function decode(bytes: Uint8Array, message: Type = ModelProto): WireField[] {
  const fields: WireField[] = [];
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    const declared = message.fieldsById[number];
    const inner = declared.resolvedType as Type | null;
    const kind = inner?.name ?? KINDS[declared.name] ?? KINDS[declared.type] ?? declared.type;
    if (wireType === WIRE_TYPE.varint) {
      const { low, high } = reader.uint64();
      const content = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      fields.push({ number, wireType, kind, content });
      continue;
    }
    const isFixed = wireType !== WIRE_TYPE.lengthDelimited;
    const payload = isFixed ? bytes.subarray(reader.pos, reader.skipType(wireType).pos) : reader.bytes();
    fields.push({ number, wireType, kind, content: inner === null ? payload : decode(payload, inner) });
  }
  return fields;
}

/** Writes the fields, including false lengths and wrong wire types. */
export function encode(fields: readonly WireField[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, wireType, content, falseLength } of fields) {
    parts.push(varint(BigInt(number) * 8n + BigInt(wireType)));
    if (typeof content === 'bigint') {
      parts.push(varint(content));
      continue;
    }
    const payload = content instanceof Uint8Array ? content : encode(content);
    if (wireType === WIRE_TYPE.lengthDelimited) parts.push(varint(falseLength ?? BigInt(payload.length)));
    parts.push(payload);
  }
  return Buffer.concat(parts);
}

export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A length-delimited field of bytes, of text, or of fields. */
export function field(number: number, content: string | Uint8Array | WireField[], kind = ''): WireField {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { number, wireType: WIRE_TYPE.lengthDelimited, kind, content: bytes };
}

export function integer(number: number, value: number | bigint): WireField {
  return { number, wireType: WIRE_TYPE.varint, kind: 'integer', content: BigInt(value) };
}

/** A field with its place: mutations change `siblings`. */
export interface Place {
  readonly siblings: WireField[];
  readonly index: number;
  readonly field: WireField;
}

/** Returns the fields of a tree, outer fields first: all, or those of the kinds. */
export function places(fields: WireField[], ...kinds: string[]): Place[] {
  const found: Place[] = [];
  const pending = [fields];
  for (let siblings = pending.shift(); siblings !== undefined; siblings = pending.shift()) {
    for (const [index, each] of siblings.entries()) {
      found.push({ siblings, index, field: each });
      if (Array.isArray(each.content)) pending.push(each.content);
    }
  }
  return kinds.length === 0 ? found : found.filter(({ field: { kind } }) => kinds.includes(kind));
}

/** The fields of each message of this kind. */
export function messages(model: WireField[], kind: string): WireField[][] {
  return places(model, kind).flatMap(({ field: { content } }) => (Array.isArray(content) ? [content] : []));
}

/** Copies a field so that mutations of the copy do not change the original. */
export function copy(original: WireField): WireField {
  const { content } = original;
  return { ...original, content: Array.isArray(content) ? content.map(copy) : content };
}

/** Returns a node: an If with a graph in its body, and so on inside of it. `graph` has the fields of the innermost graph. */
export function nestedNode(graph: Uint8Array, depth: number): WireField {
  const wrap = (inner: Uint8Array, output: string): WireField => {
    const body = field(NODE.attribute, [field(ATTRIBUTE.name, 'then_branch'), field(ATTRIBUTE.g, inner)]);
    const fields = [field(NODE.input, 'x'), field(NODE.output, output), field(NODE.opType, 'If')];
    return field(GRAPH.node, encode([...fields, body]), 'NodeProto');
  };
  let inner = graph;
  for (let level = 1; level < depth; level++) inner = encode([wrap(inner, 'o')]);
  return wrap(inner, 'y');
}
