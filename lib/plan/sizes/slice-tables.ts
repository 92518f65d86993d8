/** What the sizes of all slices of a data flow are computed from. It is computed once, because a planner sizes thousands of slices. */
import type { NodeSeconds } from '../../compute-time/node-seconds';
import type { Dataflow } from '../../dataflow/dataflow';
import { WeightTable } from '../../dataflow/weights';
import { headerBytes } from './estimate';
import type { MemoryEstimates } from './node-memory';
import { type ComputedSize, type ModelMemory, modelMemory } from './run-memory';

export interface NodeEstimates extends MemoryEstimates {
  /** By node: seconds of computing. */
  readonly work: NodeSeconds;
  /** By value: bytes of an element; 0 for strings. */
  readonly elementBytes: readonly number[];
}

export interface SizedDataflow {
  readonly dataflow: Dataflow;
  /** By value: its planned bytes. */
  readonly bytes: readonly number[];
  readonly costs: NodeEstimates;
}

export interface SliceTables {
  readonly weights: WeightTable;
  readonly memory: ModelMemory;
  readonly headers: Float64Array;
  /** By value: the position of its first user, beyond the last position if there is none. */
  readonly firstUsedAt: Int32Array;
  /** By node: its position in `order`. */
  readonly position: ReadonlyMap<number, number>;
  /** By first position, number of nodes and whether it is the last one: the slices that are ranges of `order` and were sized before. */
  readonly computed: Map<string, ComputedSize>;
}

/** The tables for the latest bytes and estimates. */
const known = new WeakMap<Dataflow, SizedDataflow & { readonly tables: SliceTables }>();

export function tablesOf({ dataflow, bytes, costs }: SizedDataflow): SliceTables {
  const found = known.get(dataflow);
  if (found?.bytes === bytes && found.costs === costs) return found.tables;
  const tables: SliceTables = {
    weights: new WeightTable(dataflow, bytes, costs.work),
    memory: modelMemory(dataflow, bytes, costs),
    headers: Float64Array.from(dataflow.model.graph.values, ({ name }) => headerBytes(name)),
    firstUsedAt: firstUsesOf(dataflow),
    position: new Map(dataflow.order.map((node, place) => [node, place])),
    computed: new Map(),
  };
  known.set(dataflow, { dataflow, bytes, costs, tables });
  return tables;
}

function firstUsesOf({ order, reads, model }: Dataflow): Int32Array {
  const first = new Int32Array(model.graph.values.length).fill(order.length);
  order.forEach((node, position) => {
    for (const value of reads[node]) first[value] = Math.min(first[value], position);
  });
  return first;
}
