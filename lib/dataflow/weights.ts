/** What slices hold besides the values that flow through them: weights, and what they compute again. */
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { LocalFunction, NodeIndex, OperatorUse, ValueIndex } from '../onnx/model';
import type { Dataflow } from './dataflow';

/** The weights and repeated nodes that each node needs, prepared for adding them up many times. */
export class WeightTable {
  /** By node: the initializers and the values of repeated nodes that it uses. */
  readonly used: readonly (readonly ValueIndex[])[];
  /** By node: the local functions that it calls itself. */
  readonly calls: readonly (readonly LocalFunction[])[];
  readonly initializerBytes: readonly number[];
  private readonly functions: ReadonlyMap<string, LocalFunction>;

  /** @param valueBytes by value: the bytes that it is planned with */
  constructor(
    readonly dataflow: Dataflow,
    private readonly valueBytes: readonly number[],
  ) {
    const { model, needs } = dataflow;
    const { initializers, nodes } = model.graph;
    this.functions = functionsByKey(model);
    this.used = needs.map((values) => values.filter((value) => comesAlong(dataflow, value)));
    this.calls = nodes.map(({ operators }) => this.called(operators));
    this.initializerBytes = initializers.map(({ tensor, field }) =>
      tensor.data ? tensor.byteLength : field.length,
    );
  }

  called(operators: readonly OperatorUse[]): LocalFunction[] {
    if (this.functions.size === 0) return [];
    return operators.flatMap((use) => this.functions.get(callKey(use)) ?? []);
  }

  madeBytes(node: NodeIndex): number {
    const { outputs } = this.dataflow.model.graph.nodes[node];
    return outputs.reduce((sum, value) => sum + (value < 0 ? 0 : this.valueBytes[value]), 0);
  }
}

/** The sum of what some nodes need, each part of it once. */
export class HeldWeights {
  /** Initializers, weights in bodies and functions, and what is computed from constants alone. */
  weightBytes = 0;
  /** The part of `weightBytes` in bodies and functions. */
  bodyBytes = 0;
  /** What repeated nodes compute that are not constant. */
  repeatedBytes = 0;
  private readonly seenInitializers: Uint8Array;
  private readonly seenNodes: Uint8Array;
  private readonly seenFunctions = new Set<LocalFunction>();

  constructor(private readonly table: WeightTable) {
    const { initializers, nodes } = table.dataflow.model.graph;
    this.seenInitializers = new Uint8Array(initializers.length);
    this.seenNodes = new Uint8Array(nodes.length);
  }

  /** Adds what a node holds itself, and all that it needs and that comes along. */
  addNode(node: NodeIndex): void {
    this.addBodies(node);
    for (const value of this.table.used[node]) this.addValue(value);
  }

  /** Adds an initializer, or what a repeated node makes and all that it is made from. */
  addValue(first: ValueIndex): void {
    const { table } = this;
    const { values } = table.dataflow.model.graph;
    const pending = [first];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const { initializer, producer } = values[value];
      if (initializer !== undefined && this.seenInitializers[initializer] === 0) {
        this.seenInitializers[initializer] = 1;
        this.weightBytes += table.initializerBytes[initializer];
      }
      // What a node that was seen needs was seen with it: nothing is walked through twice.
      if (producer === undefined || !table.dataflow.isRepeated[producer] || this.seenNodes[producer] === 1)
        continue;
      this.seenNodes[producer] = 1;
      this.addRepeated(producer);
      for (const needed of table.used[producer]) pending.push(needed);
    }
  }

  private addRepeated(node: NodeIndex): void {
    const { table } = this;
    const { constant, field } = table.dataflow.model.graph.nodes[node];
    this.addBodies(node);
    if (constant?.data) this.weightBytes += constant.byteLength;
    else if (table.dataflow.isConstantNode[node]) this.weightBytes += field.length + table.madeBytes(node);
    else this.repeatedBytes += table.madeBytes(node);
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

/** Whether whoever needs the value has what makes it. */
function comesAlong({ model, isRepeated }: Dataflow, value: ValueIndex): boolean {
  const { initializer, producer } = model.graph.values[value];
  return initializer !== undefined || (producer !== undefined && isRepeated[producer]);
}
