/** Reads a model into a tree of protobuf fields, and writes such a tree, whether it is valid or not. */
import { SCHEMA, isMessage } from './schema';
import type { FieldKind, MessageName } from './schema';

export interface WireField {
  number: number;
  wireType: number;
  kind?: FieldKind;
  /** A varint, the bytes of a leaf, or the fields of a message. */
  content: bigint | Uint8Array | WireField[];
  /** A length to write instead of the real one. */
  falseLength?: bigint;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

/** Reads a well-formed message. */
export function decode(bytes: Uint8Array, message: MessageName): WireField[] {
  const fields: WireField[] = [];
  let position = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[position++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (position < bytes.length) {
    const tag = Number(readVarint());
    const number = tag >>> 3;
    const wireType = tag & 7;
    const kind = SCHEMA[message][number];
    if (wireType === VARINT) {
      fields.push({ number, wireType, kind, content: readVarint() });
      continue;
    }
    const length = wireType === LENGTH_DELIMITED ? Number(readVarint()) : wireType === FIXED64 ? 8 : 4;
    const payload = bytes.subarray(position, position + length);
    position += length;
    fields.push({ number, wireType, kind, content: isMessage(kind) ? decode(payload, kind) : payload });
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
    if (wireType === LENGTH_DELIMITED) parts.push(varint(falseLength ?? BigInt(payload.length)));
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
export function field(
  number: number,
  content: string | Uint8Array | WireField[],
  kind?: FieldKind,
): WireField {
  return {
    number,
    wireType: LENGTH_DELIMITED,
    ...(kind && { kind }),
    content: typeof content === 'string' ? Buffer.from(content) : content,
  };
}

export function integer(number: number, value: number | bigint, kind?: FieldKind): WireField {
  return { number, wireType: VARINT, ...(kind && { kind }), content: BigInt(value) };
}

/** A field with its place: mutations change `siblings`. */
export interface Place {
  readonly siblings: WireField[];
  readonly index: number;
  readonly field: WireField;
}

/** Returns all fields of a tree, outer fields first. */
export function places(fields: WireField[]): Place[] {
  const found: Place[] = [];
  const pending = [fields];
  for (let siblings = pending.shift(); siblings !== undefined; siblings = pending.shift()) {
    for (const [index, each] of siblings.entries()) {
      found.push({ siblings, index, field: each });
      if (Array.isArray(each.content)) pending.push(each.content);
    }
  }
  return found;
}

/** Copies a field so that mutations of the copy do not change the original. */
export function copy(original: WireField): WireField {
  const { content } = original;
  return { ...original, content: Array.isArray(content) ? content.map(copy) : content };
}
