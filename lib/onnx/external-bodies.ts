/** Splits nodes and functions that hold external data, so that copies can refer to the new place of the data. */
import { submessage } from './encode';
import { ATTRIBUTE, FUNCTION, GRAPH, NODE } from './fields';
import type { Chunk, Piece, SourceRange, TensorWithData } from './model';
import type { ParseContext } from './external-data';
import { ownRange } from './parse-tensor';
import { type ByteSource, type Field, type Span, content, fields } from './wire';

type Message = 'node' | 'attribute' | 'graph' | 'function' | 'tensor';

const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message | undefined>>>> = {
  node: { [NODE.attribute]: 'attribute' },
  attribute: {
    [ATTRIBUTE.t]: 'tensor',
    [ATTRIBUTE.g]: 'graph',
    [ATTRIBUTE.tensors]: 'tensor',
    [ATTRIBUTE.graphs]: 'graph',
  },
  graph: { [GRAPH.node]: 'node', [GRAPH.initializer]: 'tensor' },
  function: { [FUNCTION.node]: 'node', [FUNCTION.attributeProto]: 'attribute' },
  tensor: {},
};

/**
 * A message of the model's file as ranges to copy and parts in place of fields; `undefined` if it keeps all fields.
 *
 * @param replace returns the parts in place of a field, or `undefined` to copy the field
 */
export function replaceFields<Part>(
  source: ByteSource,
  span: Span,
  replace: (field: Field) => readonly Part[] | undefined,
): (SourceRange | Part)[] | undefined {
  const parts: (SourceRange | Part)[] = [];
  let copied = span.start;
  for (const field of fields(source, span)) {
    const replaced = replace(field);
    if (!replaced) continue;
    if (field.whole.start > copied) parts.push(ownRange({ start: copied, end: field.whole.start }));
    for (const part of replaced) parts.push(part);
    copied = field.whole.end;
  }
  if (copied === span.start) return undefined;
  if (span.end > copied) parts.push(ownRange({ start: copied, end: span.end }));
  return parts;
}

/** Splits a message that was parsed at its external tensors. Returns `undefined` when it has none. */
export function takeApart(
  source: ByteSource,
  span: Span,
  message: Message,
  context: ParseContext,
): Piece[] | undefined {
  return replaceFields<Piece>(source, span, (field) => {
    const kind = FIELDS[message][field.number];
    if (kind === undefined) return undefined;
    if (kind !== 'tensor') {
      const inner = takeApart(source, content(field), kind, context);
      return inner && [{ field: field.number, content: inner }];
    }
    const tensor = context.externalTensors.get(content(field).start);
    return tensor && [{ field: field.number, tensor, start: content(field).start }];
  });
}

/** Joins the pieces of a message. `encodeTensor` encodes its external tensors. */
export function putTogether(
  pieces: readonly Piece[],
  encodeTensor: (field: number, tensor: TensorWithData) => readonly Chunk[],
): Chunk[] {
  return pieces.flatMap((piece) => {
    if (piece instanceof Uint8Array || 'offset' in piece) return [piece];
    if ('tensor' in piece) return [...encodeTensor(piece.field, piece.tensor)];
    return submessage(piece.field, putTogether(piece.content, encodeTensor));
  });
}
