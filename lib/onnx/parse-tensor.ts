/** Reads `TensorProto`: its type, its dims and the place of its data, never the data. */
import { isUtf8 } from 'node:buffer';
import { SlicedInferenceError, quoted } from '../errors';
import { ONNX_DOUBLE, ONNX_FLOAT, ONNX_FLOAT16, ONNX_STRING, dataTypeName, packedBytes } from './data-type';
import { DATA_LOCATION_EXTERNAL, ENTRY, TENSOR, WIRE_TYPE } from './fields';
import { MAX_NAME_BYTES, MAX_RANK } from './limits';
import type { SourceRange, Tensor } from './model';
import type { ParseContext } from './parse-context';
import {
  type ByteSource,
  type Field,
  type Span,
  WireError,
  content,
  fields,
  integer,
  integers,
} from './wire';

/** Keys of `external_data` that are read; ONNX also defines a checksum, which this library ignores. */
const EXTERNAL_KEYS = new Set(['location', 'offset', 'length']);

/** A span of the model's own file as a range. */
export function ownRange(span: Span): SourceRange {
  return { file: 0, offset: span.start, length: span.end - span.start };
}

/**
 * The text of a string field.
 *
 * @throws WireError when it is longer than `MAX_NAME_BYTES` or is not valid UTF-8
 */
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
  // Two names that differ only in invalid bytes would become one name. Most names have no replacement character, and
  // searching for one is faster than validating the bytes.
  if (name.includes('\ufffd') && !isUtf8(bytes)) {
    throw new WireError(`the name at byte ${field.whole.start} is not valid UTF-8`, false);
  }
  return name;
}

/** The fields of a `TensorProto`, unchecked. */
interface TensorFields {
  name: string;
  dataType: number;
  readonly dims: number[];
  /** The first fields with inline data, at most two: one is usable, more are not. */
  readonly inline: Field[];
  hasUnsafeStrings: boolean;
  isExternal: boolean;
  readonly externalEntries: Map<string, string>;
}

/** Reads the tensor that fills `span`. */
export function parseTensor(source: ByteSource, span: Span, context: ParseContext): Tensor {
  const read = readFields(source, span, context);
  const { name, dataType, dims } = read;
  const byteLength = denseBytes(name, dataType, dims);
  if (dataType === ONNX_FLOAT16) context.usesFloat16 = true;
  if (read.hasUnsafeStrings) context.noteUnsafeStrings(`tensor ${quoted(name)}`);
  const tensor = { name, dataType, dims, byteLength, external: read.isExternal };
  const data = read.isExternal
    ? context.external.resolve(name, read.externalEntries, byteLength)
    : inlineData(read, byteLength);
  return data ? { ...tensor, data } : tensor;
}

function readFields(source: ByteSource, span: Span, context: ParseContext): TensorFields {
  const tensor: TensorFields = {
    name: '',
    dataType: 0,
    dims: [],
    inline: [],
    hasUnsafeStrings: false,
    isExternal: false,
    externalEntries: new Map(),
  };
  for (const field of fields(source, span)) {
    switch (field.number) {
      case TENSOR.dims:
        for (const dim of integers(source, field)) {
          if (tensor.dims.length === MAX_RANK) {
            throw new WireError(`the tensor at byte ${span.start} has more than ${MAX_RANK} dims`, false);
          }
          tensor.dims.push(dim);
        }
        break;
      case TENSOR.dataType:
        tensor.dataType = integer(field);
        break;
      case TENSOR.floatData:
      case TENSOR.rawData:
      case TENSOR.doubleData:
        if (tensor.inline.length < 2) tensor.inline.push(field);
        break;
      case TENSOR.stringData:
        tensor.hasUnsafeStrings ||= !context.isSafeString(source, content(field));
        break;
      case TENSOR.name:
        tensor.name = text(source, field);
        break;
      case TENSOR.externalData:
        addEntry(source, field, tensor.externalEntries);
        break;
      case TENSOR.dataLocation:
        tensor.isExternal = integer(field) === DATA_LOCATION_EXTERNAL;
        break;
    }
  }
  return tensor;
}

/** The range of a tensor's inline data; `undefined` when the data is not one run of little-endian elements. */
function inlineData(
  { name, dataType, dims, inline }: TensorFields,
  byteLength: number,
): SourceRange | undefined {
  // A tensor may have no packed floats or several chunks of them: then its data is copied with its field.
  if (inline.length !== 1 || inline[0].wireType !== WIRE_TYPE.lengthDelimited) return undefined;
  if (!holdsElements(inline[0].number, dataType)) return undefined;
  const data = ownRange(inline[0].payload);
  if (data.length === byteLength) return data;
  throw new SlicedInferenceError(
    `tensor ${quoted(name)} of type ${dataTypeName(dataType)} and dims [${dims.join(',')}] must have ${byteLength} bytes`,
    String(data.length),
    'the file is damaged; export the model again',
  );
}

/** Whether an inline field is the raw data, or floats packed in their own width. */
function holdsElements(fieldNumber: number, dataType: number): boolean {
  if (fieldNumber === TENSOR.rawData) return dataType !== ONNX_STRING;
  if (fieldNumber === TENSOR.floatData) return dataType === ONNX_FLOAT;
  return dataType === ONNX_DOUBLE;
}

function addEntry(source: ByteSource, field: Field, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const part of fields(source, content(field))) {
    if (part.number === ENTRY.key) key = text(source, part);
    if (part.number === ENTRY.value) value = text(source, part);
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
  const bytes = packedBytes(dataType, elements);
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
