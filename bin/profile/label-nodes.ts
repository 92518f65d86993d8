/**
 * Names the nodes of a slice by their index in the graph that was cut. The events of ONNX Runtime's profiler name nodes
 * by these names alone, and in a model nodes may have no name.
 */
import { Reader } from 'protobufjs/minimal';
import { fieldHead } from '../../lib/onnx/encode';
import { GRAPH, MODEL, NODE, WIRE_TYPE } from '../../lib/onnx/fields';

/** Labels of nodes. Nodes of bodies keep their own names, so `mark` must be text that no name begins with by chance. */
export class NodeLabels {
  constructor(readonly mark: string) {}

  of(node: number): string {
    return `${this.mark}:${node}`;
  }

  /** The index of the node with this name; `undefined` for nodes of bodies and of local functions. */
  nodeOf(name: string): number | undefined {
    const prefix = `${this.mark}:`;
    return name.startsWith(prefix) ? Number(name.slice(prefix.length)) : undefined;
  }
}

/**
 * Returns the bytes of the same model with other names of nodes.
 *
 * @param producerOf returns the index of the node that computes the value with this name
 */
export function labelNodes(
  model: Uint8Array,
  labels: NodeLabels,
  producerOf: (value: string) => number | undefined,
): Uint8Array {
  return rewritten(model, MODEL.graph, (graph) =>
    rewritten(graph, GRAPH.node, (node) => labeled(node, labels, producerOf)),
  );
}

/** Copies all fields of a message, those with the number `target` as `change` returns them. */
function rewritten(
  message: Uint8Array,
  target: number,
  change: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, whole, content } of fieldsOf(message)) {
    if (number !== target || content === undefined) parts.push(whole);
    else {
      const changed = change(content);
      parts.push(fieldHead(target, changed.length), changed);
    }
  }
  return Buffer.concat(parts);
}

function labeled(
  node: Uint8Array,
  labels: NodeLabels,
  producerOf: (value: string) => number | undefined,
): Uint8Array {
  const index = [...fieldsOf(node)]
    .filter(({ number, content }) => number === NODE.output && content?.length)
    .map(({ content }) => producerOf(Buffer.from(content ?? []).toString('utf8')))
    .find((found) => found !== undefined);
  // ONNX Runtime itself names a node whose name is empty. The last name of a node counts.
  const label = Buffer.from(index === undefined ? '' : labels.of(index));
  return Buffer.concat([node, fieldHead(NODE.name, label.length), label]);
}

interface MessageField {
  readonly number: number;
  readonly whole: Uint8Array;
  /** Absent for numbers. */
  readonly content?: Uint8Array;
}

function* fieldsOf(message: Uint8Array): Generator<MessageField> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const content = (tag & 7) === WIRE_TYPE.lengthDelimited ? reader.bytes() : undefined;
    if (content === undefined) reader.skipType(tag & 7);
    yield { number: tag >>> 3, whole: message.subarray(start, reader.pos), content };
  }
}
