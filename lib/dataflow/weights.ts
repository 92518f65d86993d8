/** Sums the bytes that slices hold besides activations: weights, and results of repeated nodes. */
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { LocalFunction, NodeIndex, OperatorUse, ValueIndex } from '../onnx/model';
import type { Dataflow } from './dataflow';

/** Lists the weights and repeated nodes that each node needs, so that `HeldWeights` can sum them many times. */
export class WeightTable {
  /** By node: the initializers and the results of repeated nodes that it needs. */
  readonly held: readonly (readonly ValueIndex[])[];
  /** By node: the local functions that it calls directly. */
  readonly calls: readonly (readonly LocalFunction[])[];
  readonly initializerBytes: readonly number[];
  /** By initializer: the bytes that a run touches. */
  readonly touchedBytes: readonly number[];
  /** By initializer: whether sessions with prepacking copy it for the kernel of a product. */
  readonly isPacked: readonly boolean[];
  private readonly functions: ReadonlyMap<string, LocalFunction>;

  /** @param valueBytes by value: the bytes that it is planned with @param work by node: seconds of computing */
  constructor(
    readonly dataflow: Dataflow,
    private readonly valueBytes: readonly number[],
    readonly work: readonly number[] = [],
  ) {
    const { model, needs } = dataflow;
    const { initializers, nodes } = model.graph;
    this.functions = functionsByKey(model);
    this.held = needs.map((values) => values.filter((value) => isHeldBySlices(dataflow, value)));
    this.calls = nodes.map(({ operators }) => this.called(operators));
    this.initializerBytes = initializers.map(({ tensor, field }) =>
      tensor.data ? tensor.byteLength : field.length,
    );
    this.touchedBytes = touchedBytes(dataflow, this.initializerBytes, valueBytes);
    this.isPacked = packedInitializers(dataflow);
  }

  called(operators: readonly OperatorUse[]): LocalFunction[] {
    if (this.functions.size === 0) return [];
    return operators.flatMap((use) => this.functions.get(callKey(use)) ?? []);
  }

  outputBytes(node: NodeIndex): number {
    const { outputs } = this.dataflow.model.graph.nodes[node];
    return outputs.reduce((sum, value) => sum + (value < 0 ? 0 : this.valueBytes[value]), 0);
  }
}

/** The bytes that a set of nodes needs. Each weight, repeated node and function counts once. */
export class HeldWeights {
  repeatedBytes = 0;
  /** Initializers, tensors of `Constant` nodes, and weights in body graphs and functions. */
  weightBytes = 0;
  /** The part that a run touches in the mapped file: of a table from which rows are picked, only these rows. */
  mappedBytes = 0;
  /** The part of `mappedBytes` that sessions with prepacking copy for the kernels of products. */
  packedBytes = 0;
  /** The part of `weightBytes` in body graphs and functions: ONNX Runtime copies it into memory instead of mapping it. */
  bodyBytes = 0;
  /** Seconds of computing of repeated nodes, if the table has the work of nodes. */
  repeatedSeconds = 0;
  private readonly seenInitializers: Uint8Array;
  private readonly seenNodes: Uint8Array;
  private readonly seenFunctions = new Set<LocalFunction>();

  constructor(private readonly table: WeightTable) {
    const { initializers, nodes } = table.dataflow.model.graph;
    this.seenInitializers = new Uint8Array(initializers.length);
    this.seenNodes = new Uint8Array(nodes.length);
  }

  /** Adds the weights in the node's body graphs and functions, and everything in `WeightTable.held` that it needs. */
  addNode(node: NodeIndex): void {
    this.addBodies(node);
    for (const value of this.table.held[node]) this.addValue(value);
  }

  /** Adds an initializer, or the result of a repeated node with everything that it is computed from. */
  addValue(first: ValueIndex): void {
    const { table } = this;
    const { values } = table.dataflow.model.graph;
    const pending = [first];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const { initializer, producer } = values[value];
      if (initializer !== undefined && this.seenInitializers[initializer] === 0) {
        this.seenInitializers[initializer] = 1;
        this.weightBytes += table.initializerBytes[initializer];
        this.mappedBytes += table.touchedBytes[initializer];
        if (table.isPacked[initializer]) this.packedBytes += table.touchedBytes[initializer];
      }
      // The needs of a seen node were added with the node, so the walk visits each node once.
      if (producer === undefined || !table.dataflow.isRepeated[producer] || this.seenNodes[producer] === 1)
        continue;
      this.seenNodes[producer] = 1;
      this.addRepeated(producer);
      for (const needed of table.held[producer]) pending.push(needed);
    }
  }

  private addRepeated(node: NodeIndex): void {
    const { table } = this;
    const { constant, field } = table.dataflow.model.graph.nodes[node];
    this.addBodies(node);
    this.repeatedSeconds += table.work[node] ?? 0;
    if (constant === undefined) this.repeatedBytes += table.outputBytes(node);
    else {
      const bytes = constant.data ? constant.byteLength : field.length;
      this.weightBytes += bytes;
      this.mappedBytes += bytes;
    }
  }

  private addBodies(node: NodeIndex): void {
    const { heldBytes } = this.table.dataflow.model.graph.nodes[node];
    this.weightBytes += heldBytes;
    this.bodyBytes += heldBytes;
    const pending = [...this.table.calls[node]];
    for (let fn = pending.pop(); fn !== undefined; fn = pending.pop()) {
      if (this.seenFunctions.has(fn)) continue;
      this.seenFunctions.add(fn);
      this.weightBytes += fn.heldBytes;
      this.bodyBytes += fn.heldBytes;
      for (const inner of this.table.called(fn.operators)) pending.push(inner);
    }
  }
}

/** The bytes of the weights that one node needs. */
export function weightBytesOf(table: WeightTable, node: NodeIndex): number {
  if (table.held[node].length === 0) return 0;
  const held = new HeldWeights(table);
  held.addNode(node);
  return held.weightBytes;
}

function isHeldBySlices({ model, isRepeated }: Dataflow, value: ValueIndex): boolean {
  const { initializer, producer } = model.graph.values[value];
  return initializer !== undefined || (producer !== undefined && isRepeated[producer]);
}

/** Operators whose kernels of ONNX Runtime 1.30 take weights in an order of their own. Those of `Conv` do so in layouts alone, which slices do not have. */
const PACKS = new Set(
  (
    'MatMul FusedMatMul Gemm FusedGemm MatMulInteger MatMulIntegerToFloat DynamicQuantizeMatMul QLinearMatMul QGemm MatMulNBits ' +
    'QLinearConv ConvTranspose Attention QAttention LSTM GRU DynamicQuantizeLSTM'
  ).split(' '),
);

function packedInitializers({ model, isLive }: Dataflow): boolean[] {
  const { initializers, nodes, values } = model.graph;
  const isPacked = initializers.map(() => false);
  for (const { index, opType, inputs } of nodes)
    for (const value of isLive[index] && PACKS.has(opType) ? inputs : []) {
      const initializer = value < 0 ? undefined : values[value].initializer;
      if (initializer !== undefined) isPacked[initializer] = true;
    }
  return isPacked;
}

const PICKS_ROWS = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice']);

/**
 * Linux maps about this many bytes around a page that is read for the first time: the piece in which its cache holds the file there. Functions
 * write files in pieces of 896 KiB, which ext4 caches in pieces of 64 to 512 KiB, as they are aligned. The rows of a table are read one here and
 * one there. Measured with Linux 6.18: 16, 64, 128 and 512 rows of a table of 128 MB take 130, 147, 168 and 213 MB, planned are 132, 149, 168
 * and 228 MB. On tmpfs a piece has 64 KiB.
 */
const MAPPED_AROUND = 384 * 2 ** 10;

/** By initializer: the bytes that a run touches. @param initializerBytes by initializer @param valueBytes by value */
export function touchedBytes(
  { model, needs, isLive }: Dataflow,
  initializerBytes: readonly number[],
  valueBytes: readonly number[],
): number[] {
  const { initializers, nodes, values } = model.graph;
  const picked = new Float64Array(initializers.length);
  for (const { index, opType, inputs, outputs } of nodes) {
    if (!isLive[index]) continue;
    for (const value of needs[index]) {
      const { initializer } = values[value];
      if (initializer === undefined) continue;
      const picksRows =
        PICKS_ROWS.has(opType) && inputs.indexOf(value) === 0 && inputs.lastIndexOf(value) === 0;
      const { dims } = initializers[initializer].tensor;
      const rowBytes = initializerBytes[initializer] / Math.max(1, dims.at(0) ?? 1);
      const rows = valueBytes[outputs[0]] / Math.max(1, rowBytes);
      picked[initializer] += picksRows ? rows * (rowBytes + MAPPED_AROUND) : Infinity;
    }
  }
  // Rows that are far apart share some pieces, the more the more rows there are.
  return initializerBytes.map((bytes, initializer) =>
    bytes === 0 ? 0 : Math.ceil(bytes * -Math.expm1(-picked[initializer] / bytes)),
  );
}
