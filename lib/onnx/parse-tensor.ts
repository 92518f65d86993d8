/** Reads `TensorProto`: its type, its dims and the place of its data, never the data; and the declared types of inputs and outputs. */
import { isUtf8 } from 'node:buffer';
import { SlicedInferenceError, quoted } from '../errors';
import { ONNX_DOUBLE, ONNX_FLOAT, ONNX_FLOAT16, ONNX_STRING, dataTypeName, packedBytes } from './data-type';
import * as proto from './fields';
import { MAX_NAME_BYTES, MAX_RANK } from './limits';
import type { SourceRange, Tensor, DeclaredType } from './model';
import type { ParseContext } from './external-data';
import * as wire from './wire';
import type { Dimension } from '../../contract/tensors';

/** Keys of `external_data` that are read; ONNX also defines a checksum, which this library ignores. */
const EXTERNAL_KEYS = new Set(['location', 'offset', 'length']);

/** A span of the model's own file as a range. */
export function ownRange(span: wire.Span): SourceRange {
  return { file: 0, offset: span.start, length: span.end - span.start };
}

export function text(source: wire.ByteSource, field: wire.Field): string {
  const span = wire.content(field);
  const refused = (reason: string): wire.WireError =>
    new wire.WireError(`the name at byte ${field.whole.start} is ${reason}`, false);
  if (span.end - span.start > MAX_NAME_BYTES) throw refused(`longer than ${MAX_NAME_BYTES} bytes`);
  const bytes = source.bytes(span);
  const name = bytes.toString('utf8');
  // Two names that differ only in invalid bytes would become one name. Most names have no replacement character, and
  // searching for one is faster than validating the bytes.
  if (name.includes('\ufffd') && !isUtf8(bytes)) throw refused('not valid UTF-8');
  return name;
}

/** The text of field `number` of the message that fills `span`; empty when the message lacks the field. */
export function textOf(source: wire.ByteSource, span: wire.Span, number: number): string {
  let found = '';
  wire.readMessage(source, span, { [number]: (field) => (found = text(source, field)) });
  return found;
}

export function parseTensor(source: wire.ByteSource, span: wire.Span, context: ParseContext): Tensor {
  let [name, dataType, isExternal, hasUnsafeStrings] = ['', 0, false, false];
  const dims: number[] = [];
  const entries = new Map<string, string>();
  // The first fields with inline data, at most two: one is usable, more are not.
  const inline: wire.Field[] = [];
  const keepInline = (field: wire.Field): unknown => inline.length < 2 && inline.push(field);
  wire.readMessage(source, span, {
    [proto.TENSOR.dims]: (field) => {
      for (const dim of wire.integers(source, field))
        if (dims.push(dim) > MAX_RANK)
          throw new wire.WireError(`the tensor at byte ${span.start} has more than ${MAX_RANK} dims`, false);
    },
    [proto.TENSOR.dataType]: (field) => (dataType = wire.integer(field)),
    [proto.TENSOR.floatData]: keepInline,
    [proto.TENSOR.rawData]: keepInline,
    [proto.TENSOR.doubleData]: keepInline,
    [proto.TENSOR.stringData]: (field) =>
      (hasUnsafeStrings ||= !context.isSafeString(source, wire.content(field))),
    [proto.TENSOR.name]: (field) => (name = text(source, field)),
    [proto.TENSOR.externalData]: (field) => {
      addEntry(source, field, entries);
    },
    [proto.TENSOR.dataLocation]: (field) =>
      (isExternal = wire.integer(field) === proto.DATA_LOCATION_EXTERNAL),
  });
  const byteLength = denseBytes(name, dataType, dims);
  if (dataType === ONNX_FLOAT16) context.usesFloat16 = true;
  if (hasUnsafeStrings) context.noteUnsafeStrings(`tensor ${quoted(name)}`);
  const tensor = { name, dataType, dims, byteLength, external: isExternal };
  if (isExternal) {
    const stored = { ...tensor, data: context.external.resolve(name, entries, byteLength) };
    context.externalTensors.set(span.start, stored);
    return stored;
  }
  const data = inlineData(tensor, inline);
  return data ? { ...tensor, data } : tensor;
}

function inlineData(
  { name, dataType, dims, byteLength }: Tensor,
  inline: readonly wire.Field[],
): SourceRange | undefined {
  // A tensor may have no packed floats or several chunks of them: then its data is copied with its field.
  if (inline.length !== 1 || inline[0].wireType !== proto.WIRE_TYPE.lengthDelimited) return undefined;
  if (!holdsElements(inline[0].number, dataType)) return undefined;
  const data = ownRange(inline[0].payload);
  if (data.length === byteLength) return data;
  throw new SlicedInferenceError(
    `tensor ${quoted(name)} of type ${dataTypeName(dataType)} and dims [${dims.join(',')}] must have ${byteLength} bytes`,
    String(data.length),
    'the file is damaged; export the model again',
  );
}

function holdsElements(fieldNumber: number, dataType: number): boolean {
  if (fieldNumber === proto.TENSOR.rawData) return dataType !== ONNX_STRING;
  if (fieldNumber === proto.TENSOR.floatData) return dataType === ONNX_FLOAT;
  return dataType === ONNX_DOUBLE;
}

function addEntry(source: wire.ByteSource, field: wire.Field, entries: Map<string, string>): void {
  const key = textOf(source, wire.content(field), proto.ENTRY.key);
  const value = textOf(source, wire.content(field), proto.ENTRY.value);
  if (!EXTERNAL_KEYS.has(key)) return;
  if (entries.has(key)) {
    throw new wire.WireError(`the external data at byte ${field.whole.start} has a second ${key}`, false);
  }
  entries.set(key, value);
}

function denseBytes(name: string, dataType: number, dims: readonly number[]): number {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const refused = (must: string, got: string, more = ''): SlicedInferenceError =>
    new SlicedInferenceError(
      `tensor ${quoted(name)} must have ${must}`,
      got,
      `the file is damaged${more || '; export the model again'}`,
    );
  if (dims.some((dim) => dim < 0)) throw refused('dims of 0 or more', `[${dims.join(',')}]`);
  if (!Number.isSafeInteger(elements * 16))
    throw refused('fewer than 2^49 elements', `dims [${dims.join(',')}]`);
  const bytes = packedBytes(dataType, elements);
  if (bytes === undefined && dataType !== ONNX_STRING) {
    const advice = ' or newer than this library; export it at a lower opset';
    throw refused('an element type of ONNX', dataTypeName(dataType), advice);
  }
  return bytes ?? 0;
}

export function parseValueInfo(
  source: wire.ByteSource,
  span: wire.Span,
): { name: string; type: DeclaredType } {
  let name = '';
  let type: DeclaredType | undefined;
  for (const field of wire.fields(source, span)) {
    if (field.number === proto.VALUE_INFO.name) name = text(source, field);
    if (field.number === proto.VALUE_INFO.type) {
      wire.once(field, type);
      type = parseType(source, wire.content(field));
    }
  }
  return { name, type: type ?? {} };
}

function parseType(source: wire.ByteSource, span: wire.Span): DeclaredType {
  let kind: number | undefined;
  let type: DeclaredType = {};
  for (const field of wire.fields(source, span)) {
    if (field.number === proto.TYPE.denotation) continue;
    // A type is a oneof of tensor, sequence, map and others. Of two kinds protobuf keeps the last; two of one kind it
    // merges. This library refuses both.
    wire.once(field, kind);
    kind = field.number;
    if (kind === proto.TYPE.tensorType) type = parseTensorType(source, wire.content(field));
  }
  return type;
}

function parseTensorType(source: wire.ByteSource, span: wire.Span): DeclaredType {
  let dataType: number | undefined;
  let shape: Dimension[] | undefined;
  for (const field of wire.fields(source, span)) {
    if (field.number === proto.TENSOR_TYPE.elemType) dataType = wire.integer(field);
    if (field.number === proto.TENSOR_TYPE.shape) {
      wire.once(field, shape);
      shape = parseShape(source, wire.content(field));
    }
  }
  return { ...(dataType !== undefined && { dataType }), ...(shape && { shape }) };
}

function parseShape(source: wire.ByteSource, span: wire.Span): Dimension[] {
  const shape: Dimension[] = [];
  for (const field of wire.fields(source, span)) {
    if (field.number !== proto.SHAPE.dim) continue;
    let dimension: Dimension = null;
    for (const part of wire.fields(source, wire.content(field))) {
      // Exporters write -1 for "any size".
      if (part.number === proto.DIMENSION.dimValue) dimension = wire.integer(part) >= 0 ? part.value : null;
      if (part.number === proto.DIMENSION.dimParam) dimension = text(source, part) || null;
    }
    if (shape.push(dimension) > MAX_RANK)
      throw new wire.WireError(`a shape at byte ${span.start} has more than ${MAX_RANK} dims`, false);
  }
  return shape;
}
