/** Splits nodes and functions that hold external data, so that copies can refer to the new place of the data. */
import { type Chunk, submessage } from './chunks';
import { ATTRIBUTE, FUNCTION, GRAPH, NODE } from './fields';
import type { MessagePiece, Piece, TensorWithData, TensorPiece } from './model';
import type { ParseContext } from './parse-context';
import { ownRange, parseTensor } from './parse-tensor';
import { type ByteSource, type Field, type Span, content, fields } from './wire';

type Message = 'node' | 'attribute' | 'graph' | 'function' | 'tensor';

/** By message, the fields that lead to tensors. */
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

/** Splits a message of the model's file at its external tensors. Returns `undefined` when it has none. */
export function takeApart(
  source: ByteSource,
  span: Span,
  message: Message,
  context: ParseContext,
): Piece[] | undefined {
  const pieces: Piece[] = [];
  let copied = span.start;
  for (const field of fields(source, span)) {
    const kind = FIELDS[message][field.number];
    const piece = kind && pieceOf(source, field, kind, context);
    if (!piece) continue;
    if (field.whole.start > copied) pieces.push(ownRange({ start: copied, end: field.whole.start }));
    pieces.push(piece);
    copied = field.whole.end;
  }
  if (pieces.length === 0) return undefined;
  if (span.end > copied) pieces.push(ownRange({ start: copied, end: span.end }));
  return pieces;
}

function pieceOf(
  source: ByteSource,
  field: Field,
  kind: Message,
  context: ParseContext,
): TensorPiece | MessagePiece | undefined {
  if (kind !== 'tensor') {
    const inner = takeApart(source, content(field), kind, context);
    return inner && { field: field.number, content: inner };
  }
  const { data, ...tensor } = parseTensor(source, content(field), context);
  return tensor.external && data ? { field: field.number, tensor: { ...tensor, data } } : undefined;
}

/** Joins the pieces of a message. `encodeTensor` encodes its external tensors. */
export function putTogether(
  pieces: readonly Piece[],
  encodeTensor: (field: number, tensor: TensorWithData) => readonly Chunk[],
): Chunk[] {
  return pieces.flatMap((piece) => {
    if ('offset' in piece) return [piece];
    if ('tensor' in piece) return [...encodeTensor(piece.field, piece.tensor)];
    return submessage(piece.field, putTogether(piece.content, encodeTensor));
  });
}
