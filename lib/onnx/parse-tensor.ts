/** Reads `TensorProto`: type, dims and where the data lies, never the data. Field numbers are those of onnx.proto3. */
import { isUtf8 } from 'node:buffer';
import { SlicedInferenceError, quoted } from '../errors';
import { ONNX_DOUBLE, ONNX_FLOAT, ONNX_FLOAT16, ONNX_STRING, dataTypeName, tensorBytes } from './data-type';
import { MAX_NAME_BYTES, MAX_RANK } from './limits';
import type { ByteRange, Tensor } from './model';
import type { ParseContext } from './parse-context';
import type { ByteSource, Field, Span } from './wire';
import { WIRE_LENGTH_DELIMITED, WireError, content, fields, integer, integers } from './wire';

const FLOAT_DATA = 4;
const STRING_DATA = 6;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const DATA_LOCATION_EXTERNAL = 1;

/** What is read of `external_data`; ONNX also has a checksum, which nobody checks. */
const EXTERNAL_KEYS = new Set(['location', 'offset', 'length']);

/** The bytes of a span of the model's own file, as a range. */
export function ownRange(span: Span): ByteRange {
  return { file: 0, offset: span.start, length: span.end - span.start };
}

/** A string field; refuses what is too long to be a name. */
export function text(source: ByteSource, field: Field): string {
  const span = content(field);
  if (span.end - span.start > MAX_NAME_BYTES) {
    throw new WireError(
      `the name at byte ${field.whole.start} is longer than ${MAX_NAME_BYTES} bytes`,
      false,
    );
  }
  const bytes = source.bytes(span);
  const name = bytes.toString('utf8');
  // Names that differ in such bytes alone would become one. Looking for the replacement first is the faster way.
  if (name.includes('\ufffd') && !isUtf8(bytes)) {
    throw new WireError(`the name at byte ${field.whole.start} is no UTF-8`, false);
  }
  return name;
}

export function parseTensor(source: ByteSource, span: Span, context: ParseContext): Tensor {
  let name = '';
  let dataType = 0;
  const dims: number[] = [];
  const inline: Field[] = [];
  let hasUnsafeStrings = false;
  let isExternal = false;
  const entries = new Map<string, string>();
  for (const field of fields(source, span)) {
    switch (field.number) {
      case 1:
        for (const dim of integers(source, field)) {
          if (dims.length === MAX_RANK) {
            throw new WireError(`the tensor at byte ${span.start} has more than ${MAX_RANK} dims`, false);
          }
          dims.push(dim);
        }
        break;
      case 2:
        dataType = integer(field);
        break;
      case FLOAT_DATA:
      case RAW_DATA:
      case DOUBLE_DATA:
        if (inline.length < 2) inline.push(field);
        break;
      case STRING_DATA:
        hasUnsafeStrings ||= !context.isSafeString(source, content(field));
        break;
      case 8:
        name = text(source, field);
        break;
      case 13:
        addEntry(source, field, entries);
        break;
      case 14:
        isExternal = integer(field) === DATA_LOCATION_EXTERNAL;
        break;
    }
  }
  const byteLength = denseBytes(name, dataType, dims);
  if (dataType === ONNX_FLOAT16) context.usesFloat16 = true;
  if (hasUnsafeStrings) context.noteUnsafeStrings(`tensor ${quoted(name)}`);
  if (isExternal) {
    return {
      name,
      dataType,
      dims,
      byteLength,
      external: true,
      data: context.external.resolve(name, entries, byteLength),
    };
  }
  const tensor = { name, dataType, dims, byteLength, external: false };
  // Several chunks of packed floats are legal, and so are none: such data is copied with its field instead.
  if (inline.length !== 1 || inline[0].wireType !== WIRE_LENGTH_DELIMITED) return tensor;
  if (!holdsElements(inline[0].number, dataType)) return tensor;
  const data = ownRange(inline[0].payload);
  if (data.length !== byteLength) {
    throw new SlicedInferenceError(
      `tensor ${quoted(name)} of type ${dataTypeName(dataType)} and dims [${dims.join(',')}] must have ${byteLength} bytes`,
      String(data.length),
      'the file is damaged; export the model again',
    );
  }
  return { ...tensor, data };
}

/** Whether an inline field is the raw data, or floats packed in their own width. */
function holdsElements(fieldNumber: number, dataType: number): boolean {
  if (fieldNumber === RAW_DATA) return dataType !== ONNX_STRING;
  if (fieldNumber === FLOAT_DATA) return dataType === ONNX_FLOAT;
  return dataType === ONNX_DOUBLE;
}

function addEntry(source: ByteSource, field: Field, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const part of fields(source, content(field))) {
    if (part.number === 1) key = text(source, part);
    if (part.number === 2) value = text(source, part);
  }
  if (!EXTERNAL_KEYS.has(key)) return;
  if (entries.has(key)) {
    throw new WireError(`the external data at byte ${field.whole.start} has a second ${key}`, false);
  }
  entries.set(key, value);
}

function denseBytes(name: string, dataType: number, dims: readonly number[]): number {
  let elements = 1;
  for (const dim of dims) {
    if (dim < 0) {
      throw new SlicedInferenceError(
        `tensor ${quoted(name)} must have dims of 0 or more`,
        `[${dims.join(',')}]`,
        'the file is damaged; export the model again',
      );
    }
    elements *= dim;
  }
  const bytes = tensorBytes(dataType, elements);
  if (!Number.isSafeInteger(elements * 16)) {
    throw new SlicedInferenceError(
      `tensor ${quoted(name)} must have fewer than 2^49 elements`,
      `dims [${dims.join(',')}]`,
      'the file is damaged; export the model again',
    );
  }
  if (bytes === undefined && dataType !== ONNX_STRING) {
    throw new SlicedInferenceError(
      `tensor ${quoted(name)} must have an element type of ONNX`,
      dataTypeName(dataType),
      'the file is damaged or newer than this library; export it at a lower opset',
    );
  }
  return bytes ?? 0;
}
