/** What each node of a model adds to the memory of a slice, computed once and used for every possible slice. */
import type { Dataflow } from '../../dataflow/dataflow';
import { callKey, functionsByKey } from '../../onnx/local-functions';
import { type LocalFunction, type Node, type NodeIndex, type ValueIndex, OMITTED } from '../../onnx/model';
import type { SizeClasses } from '../../shapes/size-classes';
import { innerTensors } from './function-memory';
import { type OutputMemory, outputMemory } from './kernels/output-memory';
import type { ScratchBytes } from './kernels/scratch';

export interface NodeMemory {
  readonly dataflow: Dataflow;
  /** By value: its bytes. */
  readonly bytes: readonly number[];
  readonly classes: SizeClasses;
  /** By node: how its first output gets its memory. */
  readonly outputMemory: readonly OutputMemory[];
  /** By node: bytes of temporary buffers. */
  readonly scratch: Float64Array;
  /** By value: the number of repeated nodes that need it. */
  readonly repeatedUsers: Int32Array;
  /** By node: the repeated nodes whose results it needs directly. */
  readonly repeatedNeeds: readonly (readonly NodeIndex[])[];
}

export interface MemoryEstimates {
  /** By node: bytes of the temporary buffers of its kernel. */
  readonly scratch: ScratchBytes;
  /** Which values have the same size as far as ONNX Runtime knows. */
  readonly classes: SizeClasses;
}

export function nodeMemory(
  dataflow: Dataflow,
  bytes: readonly number[],
  { scratch, classes }: MemoryEstimates,
): NodeMemory {
  const { model, needs, isRepeated, isLive } = dataflow;
  const { graph } = model;
  const functions = functionsByKey(model);
  const repeatedUsers = new Int32Array(graph.values.length);
  graph.nodes.forEach((_, node) => {
    if (isRepeated[node] && isLive[node]) for (const value of needs[node]) repeatedUsers[value]++;
  });
  return {
    dataflow,
    bytes,
    classes,
    outputMemory: graph.nodes.map(outputMemory),
    scratch: Float64Array.from(
      graph.nodes,
      (node) => (scratch[node.index] ?? 0) + callBytes(node, functions, bytes),
    ),
    repeatedUsers,
    repeatedNeeds: needs.map((values) => repeatedProducers(dataflow, values)),
  };
}

/** The repeated nodes that compute any of the values. */
export function repeatedProducers(
  { model, isRepeated }: Dataflow,
  values: readonly ValueIndex[],
): readonly NodeIndex[] {
  const producers = values.flatMap((value) => {
    if (value === OMITTED) return [];
    const { producer } = model.graph.values[value];
    return producer !== undefined && isRepeated[producer] ? [producer] : [];
  });
  return [...new Set(producers)];
}

/** Bytes inside the local function that the node calls. Each inner tensor counts as large as the largest outer one. */
function callBytes(
  { domain, opType, operators, inputs, outputs }: Node,
  functions: ReadonlyMap<string, LocalFunction>,
  bytes: readonly number[],
): number {
  if (functions.size === 0) return 0;
  const own = operators.find((use) => use.domain === domain && use.opType === opType);
  const fn = own && functions.get(callKey(own));
  if (fn === undefined) return 0;
  let largest = 0;
  for (const value of inputs) if (value !== OMITTED) largest = Math.max(largest, bytes[value]);
  for (const value of outputs) if (value !== OMITTED) largest = Math.max(largest, bytes[value]);
  return innerTensors(fn) * largest;
}
