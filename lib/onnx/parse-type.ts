/** Reads `ValueInfoProto` and `TypeProto`: the types that a model declares for its inputs and outputs. */
import type { Dimension } from '../../lambda/contract';
import { MAX_RANK } from './limits';
import type { DeclaredType } from './model';
import { text } from './parse-tensor';
import type { ByteSource, Span } from './wire';
import { WireError, fields } from './wire';

const TYPE_TENSOR = 1;

export function parseValueInfo(source: ByteSource, span: Span): { name: string; type: DeclaredType } {
  let name = '';
  let type: DeclaredType = {};
  for (const field of fields(source, span)) {
    if (field.number === 1) name = text(source, field);
    if (field.number === 2) type = parseType(source, field.payload);
  }
  return { name, type };
}

function parseType(source: ByteSource, span: Span): DeclaredType {
  for (const field of fields(source, span)) {
    if (field.number !== TYPE_TENSOR) continue;
    let dataType: number | undefined;
    let shape: Dimension[] | undefined;
    for (const part of fields(source, field.payload)) {
      if (part.number === 1) dataType = part.value;
      if (part.number === 2) shape = parseShape(source, part.payload);
    }
    return { ...(dataType !== undefined && { dataType }), ...(shape && { shape }) };
  }
  return {};
}

function parseShape(source: ByteSource, span: Span): Dimension[] {
  const shape: Dimension[] = [];
  for (const field of fields(source, span)) {
    if (field.number !== 1) continue;
    let dimension: Dimension = null;
    for (const part of fields(source, field.payload)) {
      // Exporters write -1 for "any size".
      if (part.number === 1) dimension = part.value >= 0 ? part.value : null;
      if (part.number === 2) dimension = text(source, part) || null;
    }
    shape.push(dimension);
    if (shape.length > MAX_RANK)
      throw new WireError(`a shape at byte ${span.start} has more than ${MAX_RANK} dims`, false);
  }
  return shape;
}
