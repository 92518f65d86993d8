/**
 * Lets ONNX Runtime infer the shape of a `Crop`, an experimental operator of early exporters. ONNX Runtime computes it but has no
 * shape inference for it, so all sizes after it would be unknown. A `Pad` by negative sizes has the same shape.
 */
import { encodeNode } from '../onnx/encode';
import type { Model, Node } from '../onnx/model';
import { nodeAttributes } from './node-attributes';

/** The opsets in which the sizes of a `Pad` are the attribute `pads`. */
const FIRST_OPSET = 2;
const LAST_OPSET = 10;

/** Returns a `Pad` in place of the node, as a field of a graph; `undefined` for another node. */
export function cropAsPad(model: Model, node: Node): Uint8Array | undefined {
  if (node.opType !== 'Crop' || node.domain !== '') return undefined;
  const opset = model.opsets.find(({ domain }) => domain === '')?.version ?? 0;
  if (opset < FIRST_OPSET || opset > LAST_OPSET) return undefined;
  const attributes = nodeAttributes(model, node);
  const border = attributes.get('border')?.integers;
  // With `scale`, the border says only where the result starts.
  if (border?.length !== 4 || attributes.has('scale')) return undefined;
  const [left, top, right, bottom] = border;
  const name = (value: number): string => model.graph.values[value].name;
  return encodeNode('Pad', node.inputs.map(name), node.outputs.map(name), {
    pads: [0, 0, -top, -left, 0, 0, -bottom, -right],
  });
}
