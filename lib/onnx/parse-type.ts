/** Reads `ValueInfoProto` and `TypeProto`: types that a model declares for its inputs and outputs. */
import type { Dimension } from '../../contract/tensors';
import { DIMENSION, SHAPE, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields';
import { MAX_RANK } from './limits';
import type { DeclaredType } from './model';
import { text } from './parse-tensor';
import { type ByteSource, type Span, WireError, content, fields, integer, once } from './wire';

export function parseValueInfo(source: ByteSource, span: Span): { name: string; type: DeclaredType } {
  let name = '';
  let type: DeclaredType | undefined;
  for (const field of fields(source, span)) {
    if (field.number === VALUE_INFO.name) name = text(source, field);
    if (field.number === VALUE_INFO.type) {
      once(field, type);
      type = parseType(source, content(field));
    }
  }
  return { name, type: type ?? {} };
}

function parseType(source: ByteSource, span: Span): DeclaredType {
  let kind: number | undefined;
  let type: DeclaredType = {};
  for (const field of fields(source, span)) {
    if (field.number === TYPE.denotation) continue;
    // A type is a oneof of tensor, sequence, map and others. Of two kinds protobuf keeps the last; two of one kind it
    // merges. This library refuses both.
    once(field, kind);
    kind = field.number;
    if (kind === TYPE.tensorType) type = parseTensorType(source, content(field));
  }
  return type;
}

function parseTensorType(source: ByteSource, span: Span): DeclaredType {
  let dataType: number | undefined;
  let shape: Dimension[] | undefined;
  for (const field of fields(source, span)) {
    if (field.number === TENSOR_TYPE.elemType) dataType = integer(field);
    if (field.number === TENSOR_TYPE.shape) {
      once(field, shape);
      shape = parseShape(source, content(field));
    }
  }
  return { ...(dataType !== undefined && { dataType }), ...(shape && { shape }) };
}

function parseShape(source: ByteSource, span: Span): Dimension[] {
  const shape: Dimension[] = [];
  for (const field of fields(source, span)) {
    if (field.number !== SHAPE.dim) continue;
    let dimension: Dimension = null;
    for (const part of fields(source, content(field))) {
      // Exporters write -1 for "any size".
      if (part.number === DIMENSION.dimValue) dimension = integer(part) >= 0 ? part.value : null;
      if (part.number === DIMENSION.dimParam) dimension = text(source, part) || null;
    }
    if (shape.push(dimension) > MAX_RANK)
      throw new WireError(`a shape at byte ${span.start} has more than ${MAX_RANK} dims`, false);
  }
  return shape;
}
