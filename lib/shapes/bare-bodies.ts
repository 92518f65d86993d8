/** Removes the types that a model declares for the values inside body graphs and functions, because they may be wrong. */
import * as path from 'node:path';
import { fingerprint } from '../cache/fingerprint';
import { type Chunk, submessage } from '../onnx/chunks';
import { replaceFields } from '../onnx/external-bodies';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, TENSOR_TYPE, TYPE, VALUE_INFO } from '../onnx/fields';
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
    const chunks = stripped(source, { start: 0, end: source.size }, 'model');
    if (chunks === undefined) return modelPath;
    const { size } = source;
    const bare = path.join(path.dirname(modelPath), 'bare.onnx');
    writeChunks([{ path: modelPath, names: [], size, fingerprint: fingerprint(modelPath) }], chunks, bare);
    return bare;
  } finally {
    source.close();
  }
}

/** The message without these types; `undefined` if it declares none. */
function stripped(source: ByteSource, span: Span, message: Message): Chunk[] | undefined {
  return replaceFields<Chunk>(source, span, (field) => {
    const kind = kindOf(source, field, message);
    if (kind === undefined || kind === DROPPED) return kind && [];
    const inner = stripped(source, content(field), kind);
    return inner && submessage(field.number, inner);
  });
}

function kindOf(source: ByteSource, field: Field, message: Message): Message | typeof DROPPED | undefined {
  const kind = FIELDS[message][field.number];
  if (kind !== 'type') return kind;
  const isTensor = [...fields(source, content(field))].some(({ number }) => number === TYPE.tensorType);
  return isTensor ? kind : DROPPED;
}
