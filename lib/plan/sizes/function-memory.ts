/** The tensors inside a local function, whose sizes are unknown before it is called. */
import type { FunctionNode, LocalFunction } from '../../onnx/model';

/**
 * The most tensors inside the function that are needed at one time, besides its inputs and outputs. ONNX Runtime runs the nodes
 * of a function in place of the call.
 */
export function innerTensors({ inputs, outputs, nodes }: LocalFunction): number {
  const outside = new Set([...inputs, ...outputs, '']);
  const lastUse = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const input of node.inputs) lastUse.set(input, index);
  });
  const ending = nodes.map(
    (node, index) =>
      innerOutputs(node, outside).filter((name) => (lastUse.get(name) ?? index) === index).length,
  );
  nodes.forEach((node, index) => {
    for (const name of innerOutputs(node, outside)) {
      const end = lastUse.get(name);
      if (end !== undefined && end > index) ending[end]++;
    }
  });
  let [live, most] = [0, 0];
  nodes.forEach((node, index) => {
    live += innerOutputs(node, outside).length;
    most = Math.max(most, live);
    live -= ending[index];
  });
  return most;
}

/** Constants are weights of the function. */
function innerOutputs({ use, outputs }: FunctionNode, outside: ReadonlySet<string>): string[] {
  return use.opType === 'Constant' ? [] : outputs.filter((name) => !outside.has(name));
}
