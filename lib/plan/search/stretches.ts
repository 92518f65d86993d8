/** Computes the size that a slice would have for each stretch of nodes between two possible cuts. */
import type { ValueIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import type { WeightTable } from '../../dataflow/weights';
import { HeldWeights } from '../../dataflow/weights';
import type { ModelMemory } from '../sizes/model-memory';
import { MeasuredPeaks } from '../sizes/measured-peaks';
import { modelMemory, sizeOf, usesFrom } from '../sizes/model-memory';
import { repeatedProducers } from '../sizes/node-memory';
import { RunMemory } from '../sizes/run-memory';
import { ArenaPool } from '../sizes/tensor-pool';

/** Positions in `Dataflow.order` from `start` to `end`, without `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Calls `visit` with the size of every stretch of `order` from the boundary `from` to each later boundary, until it
 * returns false. Boundaries are ascending positions from 0 to `order.length`.
 */
export function sizeStretches(
  space: CutSpace,
  weights: WeightTable,
  boundaries: readonly number[],
  from: number,
  visit: (to: number, size: SliceSize) => boolean,
): void {
  const { dataflow } = space;
  const { order } = dataflow;
  const memory = memoryOf(space);
  const results = dataflow.model.graph.outputs.map(({ value }) => value);
  const peaks = peaksOf(space);
  const start = boundaries[from];
  const held = new HeldWeights(weights);
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, start), pool);
  const moved = new MovedTensors(space, results, start);
  let coreSeconds = 0;
  let position = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; position < boundaries[to]; position++) {
      const node = order[position];
      held.addNode(node);
      run.run(node);
      moved.addNode(position);
      coreSeconds += weights.work[node] ?? 0;
    }
    if (position === order.length) {
      // The last slice computes the results that depend on constants alone.
      for (const value of results) held.addValue(value);
      run.runRepeated(repeatedProducers(dataflow, results));
    }
    const estimate = sizeOf(held, pool, run, {
      readBytes: moved.readBytes,
      // At its end, the slice writes what later slices need.
      writeBytes: moved.liveBytes,
      computedBytes: moved.computedBytes,
      readTensors: moved.readTensors,
      coreSeconds: coreSeconds + held.repeatedSeconds,
    });
    if (!visit(to, peaks.limited(estimate, start, position))) return;
  }
}

/** Sums the tensors that the nodes of a stretch read from outside, compute, and leave to later slices. */
class MovedTensors {
  readBytes = 0;
  computedBytes = 0;
  /** Bytes of values from the stretch that this or a later slice still needs. */
  liveBytes = 0;
  private readsFromSlices = 0;
  private readsRequest = 0;
  private readonly seen: Uint8Array;
  private readonly isResult: Uint8Array;
  /** By position: bytes of the values whose last use it is. */
  private readonly endingAt: Float64Array;

  constructor(
    private readonly space: CutSpace,
    results: readonly ValueIndex[],
    private readonly start: number,
  ) {
    const { model, order } = space.dataflow;
    this.seen = new Uint8Array(model.graph.values.length);
    this.isResult = new Uint8Array(model.graph.values.length);
    for (const value of results) this.isResult[value] = 1;
    this.endingAt = new Float64Array(order.length);
  }

  get readTensors(): number {
    return this.readsFromSlices + this.readsRequest;
  }

  addNode(position: number): void {
    const { dataflow, bytes, lastUsedAt } = this.space;
    const node = dataflow.order[position];
    for (const value of dataflow.reads[node]) this.read(value);
    for (const output of dataflow.model.graph.nodes[node].outputs) {
      if (output < 0) continue;
      this.computedBytes += bytes[output];
      this.liveBytes += bytes[output];
      if (this.isResult[output] === 0) this.endingAt[Math.max(position, lastUsedAt[output])] += bytes[output];
    }
    this.liveBytes -= this.endingAt[position];
  }

  private read(value: ValueIndex): void {
    if (this.seen[value] === 1 || !this.isOutside(value)) return;
    this.seen[value] = 1;
    this.readBytes += this.space.bytes[value];
    if (this.space.producedAt[value] >= 0) this.readsFromSlices++;
    else this.readsRequest = 1;
  }

  private isOutside(value: ValueIndex): boolean {
    const at = this.space.producedAt[value];
    return at >= 0 ? at < this.start : this.space.dataflow.model.graph.values[value].input !== undefined;
  }
}

/** The table of each space, which the sizes of all its stretches share. */
const memories = new WeakMap<CutSpace, ModelMemory>();

function memoryOf(space: CutSpace): ModelMemory {
  const memory = memories.get(space) ?? modelMemory(space.dataflow, space.bytes, space.costs);
  memories.set(space, memory);
  return memory;
}

/** By space: what was measured of its stretches. */
const measured = new WeakMap<CutSpace, MeasuredPeaks>();

function peaksOf(space: CutSpace): MeasuredPeaks {
  const peaks = measured.get(space) ?? new MeasuredPeaks(space.dataflow.order, space.costs.peaks);
  measured.set(space, peaks);
  return peaks;
}
