/** What each node of a model adds to the memory of a slice, computed once and used for every possible slice. */
import type { Dataflow } from '../../dataflow/dataflow';
import { callKey, functionsByKey } from '../../onnx/local-functions';
import * as onnx from '../../onnx/model';
import type { SizeClasses } from '../../shapes/value-types';
import type { ScratchBytes } from './kernels/scratch';

export interface NodeMemory {
  readonly dataflow: Dataflow;
  readonly bytes: readonly number[];
  readonly classes: SizeClasses;
  /** By node: how its first output gets its memory. */
  readonly outputMemory: readonly OutputMemory[];
  readonly scratch: Float64Array;
  /** By value: the number of repeated nodes that need it. */
  readonly repeatedUsers: Int32Array;
  /** By node: the repeated nodes whose results it needs directly. */
  readonly repeatedNeeds: readonly (readonly onnx.NodeIndex[])[];
}

export interface MemoryEstimates {
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

export function repeatedProducers(
  { model, isRepeated }: Dataflow,
  values: readonly onnx.ValueIndex[],
): readonly onnx.NodeIndex[] {
  const producers = values.flatMap((value) => {
    if (value === onnx.OMITTED) return [];
    const { producer } = model.graph.values[value];
    return producer !== undefined && isRepeated[producer] ? [producer] : [];
  });
  return [...new Set(producers)];
}

/** Bytes inside the local function that the node calls. Each inner tensor counts as large as the largest outer one. */
function callBytes(
  { domain, opType, operators, inputs, outputs }: onnx.Node,
  functions: ReadonlyMap<string, onnx.LocalFunction>,
  bytes: readonly number[],
): number {
  if (functions.size === 0) return 0;
  const own = operators.find((use) => use.domain === domain && use.opType === opType);
  const fn = own && functions.get(callKey(own));
  if (fn === undefined) return 0;
  let largest = 0;
  for (const value of inputs) if (value !== onnx.OMITTED) largest = Math.max(largest, bytes[value]);
  for (const value of outputs) if (value !== onnx.OMITTED) largest = Math.max(largest, bytes[value]);
  return innerTensors(fn) * largest;
}

/**
 * The most tensors inside the function that are needed at one time, besides its inputs and outputs. ONNX Runtime runs the nodes
 * of a function in place of the call.
 */
function innerTensors({ inputs, outputs, nodes }: onnx.LocalFunction): number {
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
function innerOutputs({ use, outputs }: onnx.FunctionNode, outside: ReadonlySet<string>): string[] {
  return use.opType === 'Constant' ? [] : outputs.filter((name) => !outside.has(name));
}

const VIEWS = new Set(['Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

/**
 * The output takes the place of the first input, if nothing else needs the input and both have the same size. Measured: a chain of
 * four equal operators on a tensor of 32 MB, with the session options of the slice function.
 */
const IN_PLACE = new Set(
  `Cast Celu Clip Elu HardSigmoid LeakyRelu LogSoftmax Relu
  Selu Sigmoid Softmax Softplus Softsign Tanh ThresholdedRelu Trilu`.split(/\s+/),
);

export type OutputMemory = 'new' | 'view' | 'in place';

export function outputMemory({ domain, opType }: onnx.Node): OutputMemory {
  if (domain !== '' && domain !== 'ai.onnx') return 'new';
  if (VIEWS.has(opType)) return 'view';
  return IN_PLACE.has(opType) ? 'in place' : 'new';
}
