/**
 * Just enough of https://protobuf.dev/programming-guides/encoding to write an ONNX file. The field numbers of the callers are
 * those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */

export type Message = Buffer;

const ELEMENT_TYPES = { float32: 1, int64: 7 } as const;

function varint(value: number): Buffer {
  if (value < 128) return Buffer.of(value);
  return Buffer.concat([Buffer.of((value % 128) + 128), varint(Math.floor(value / 128))]);
}

/** @param value from 0 to `Number.MAX_SAFE_INTEGER` */
export function int(field: number, value: number): Message {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A text, bytes, or a message of fields. */
export function bytes(field: number, ...parts: readonly (Buffer | string)[]): Message {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

/** The field `type` of a ValueInfoProto. */
export function tensorType(type: keyof typeof ELEMENT_TYPES, sizes: readonly (number | string)[]): Message {
  const dims = sizes.map((size) => bytes(1, typeof size === 'number' ? int(1, size) : bytes(2, size)));
  return bytes(2, bytes(1, int(1, ELEMENT_TYPES[type]), bytes(2, ...dims)));
}
