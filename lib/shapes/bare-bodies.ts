/** Removes the types that a model declares for the values inside body graphs and functions, because they may be wrong. */
import * as path from 'node:path';
import { fingerprint } from '../cache/fingerprint';
import { type Chunk, submessage } from '../onnx/chunks';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, TENSOR_TYPE, TYPE, VALUE_INFO } from '../onnx/fields';
import { ownRange } from '../onnx/parse-tensor';
import { type Field, type Span, ByteSource, content, fields } from '../onnx/wire';
import { writeChunks } from '../onnx/write-chunks';

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'body' | 'function' | 'value' | 'type' | 'tensor';

const DROPPED = 'dropped';

/**
 * By message, the fields that lead to declared shapes. The top-level graph keeps its declarations. Element types stay, since
 * ONNX Runtime requires those of a body's inputs. Types of sequences and optionals go as a whole.
 */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message | typeof DROPPED | undefined>>>> = {
  model: { [MODEL.graph]: 'graph', [MODEL.functions]: 'function' },
  graph: { [GRAPH.node]: 'node' },
  node: { [NODE.attribute]: 'attribute' },
  attribute: { [ATTRIBUTE.g]: 'body', [ATTRIBUTE.graphs]: 'body' },
  body: {
    [GRAPH.node]: 'node',
    [GRAPH.input]: 'value',
    [GRAPH.output]: 'value',
    [GRAPH.valueInfo]: DROPPED,
  },
  function: {
    [FUNCTION.node]: 'node',
    [FUNCTION.attributeProto]: 'attribute',
    [FUNCTION.valueInfo]: DROPPED,
  },
  value: { [VALUE_INFO.type]: 'type' },
  type: { [TYPE.tensorType]: 'tensor' },
  tensor: { [TENSOR_TYPE.shape]: DROPPED },
};

/** The path of the same model without these types. */
export function withBareBodies(modelPath: string): string {
  const source = new ByteSource(modelPath);
  try {
    const chunks = withoutBodyTypes(source);
    if (chunks === undefined) return modelPath;
    const { size } = source;
    const bare = path.join(path.dirname(modelPath), 'bare.onnx');
    writeChunks([{ path: modelPath, names: [], size, fingerprint: fingerprint(modelPath) }], chunks, bare);
    return bare;
  } finally {
    source.close();
  }
}

/** The model in the file `source` without these types; `undefined` if it declares none. */
export function withoutBodyTypes(source: ByteSource): Chunk[] | undefined {
  return stripped(source, { start: 0, end: source.size }, 'model');
}

function stripped(source: ByteSource, span: Span, message: Message): Chunk[] | undefined {
  const chunks: Chunk[] = [];
  let copied = span.start;
  for (const field of fields(source, span)) {
    const kind = kindOf(source, field, message);
    if (kind === undefined) continue;
    const inner = kind === DROPPED ? [] : stripped(source, content(field), kind);
    if (inner === undefined) continue;
    if (field.whole.start > copied) chunks.push(ownRange({ start: copied, end: field.whole.start }));
    if (kind !== DROPPED) for (const chunk of submessage(field.number, inner)) chunks.push(chunk);
    copied = field.whole.end;
  }
  if (copied === span.start) return undefined;
  if (span.end > copied) chunks.push(ownRange({ start: copied, end: span.end }));
  return chunks;
}

function kindOf(source: ByteSource, field: Field, message: Message): Message | typeof DROPPED | undefined {
  const kind = FIELDS[message][field.number];
  if (kind !== 'type') return kind;
  const isTensor = [...fields(source, content(field))].some(({ number }) => number === TYPE.tensorType);
  return isTensor ? kind : DROPPED;
}
