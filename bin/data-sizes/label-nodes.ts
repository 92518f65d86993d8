/**
 * Names the nodes of a model by their index. The events of ONNX Runtime's profiler name nodes
 * by these names alone, and in a model nodes may have no name.
 */
import { submessage, textField } from '../../lib/onnx/encode';
import { replaceFields } from '../../lib/onnx/external-bodies';
import { GRAPH, MODEL, NODE } from '../../lib/onnx/fields';
import type { Chunk } from '../../lib/onnx/model';
import { ownRange } from '../../lib/onnx/parse-tensor';
import { type Span, ByteSource, content, fields } from '../../lib/onnx/wire';

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
  const source = new ByteSource('', model);
  const labeled = (node: Span): Chunk[] => {
    const index = [...fields(source, node)]
      .filter(({ number }) => number === NODE.output)
      .map((output) => source.bytes(content(output)).toString())
      .map((name) => (name === '' ? undefined : producerOf(name)))
      .find((found) => found !== undefined);
    // ONNX Runtime itself names a node whose name is empty. The last name of a node counts.
    return [ownRange(node), textField(NODE.name, index === undefined ? '' : labels.of(index))];
  };
  const whole = { start: 0, end: model.length };
  const chunks = replaceFields<Chunk>(source, whole, (graph) => {
    if (graph.number !== MODEL.graph) return undefined;
    const nodes = replaceFields<Chunk>(source, content(graph), (node) =>
      node.number === GRAPH.node ? submessage(GRAPH.node, labeled(content(node))) : undefined,
    );
    return nodes && submessage(MODEL.graph, nodes);
  });
  const bytesOf = (chunk: Chunk): Uint8Array =>
    chunk instanceof Uint8Array ? chunk : model.subarray(chunk.offset, chunk.offset + chunk.length);
  return chunks === undefined ? model : Buffer.concat(chunks.map(bytesOf));
}
