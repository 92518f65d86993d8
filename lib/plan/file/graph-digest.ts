/** Identifies a graph apart from its weights, so that a plan can be applied to retrained models. */
import { createHash } from 'node:crypto';
import type { Graph } from '../../onnx/model';

/** The hexadecimal SHA-256 of the graph's operators and value names, in the file's order. */
export function graphDigest(graph: Graph): string {
  const hash = createHash('sha256');
  const names = (values: readonly number[]): string[] =>
    values.map((value) => graph.values.at(value)?.name ?? '');
  for (const node of graph.nodes) {
    const outputs = node.outputs.filter((output) => output >= 0);
    hash.update(
      JSON.stringify([node.domain, node.opType, names(node.inputs.filter((v) => v >= 0)), names(outputs)]),
    );
  }
  return hash.digest('hex');
}
