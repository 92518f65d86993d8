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
  const { dataflow, bytes, producedAt, lastUsedAt } = space;
  const memory = memoryOf(space);
  const { order, reads, model } = dataflow;
  const { values, nodes } = model.graph;
  const results = new Set(outputsOf(space));
  const peaks = peaksOf(space);
  const start = boundaries[from];
  const held = new HeldWeights(weights);
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, start), pool);
  const isOutside = (value: ValueIndex): boolean =>
    producedAt[value] >= 0 ? producedAt[value] < start : values[value].input !== undefined;
  const seenReads = new Uint8Array(values.length);
  /** By position: bytes of the values whose last use it is. */
  const endingAt = new Float64Array(order.length);
  let readBytes = 0;
  let readTensors = 0;
  let readsRequest = 0;
  /** Bytes of values from the stretch that this or a later slice still needs. At the end, the slice writes them. */
  let liveBytes = 0;
  let computedBytes = 0;
  let coreSeconds = 0;
  let position = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; position < boundaries[to]; position++) {
      const node = order[position];
      held.addNode(node);
      run.run(node);
      coreSeconds += weights.work[node] ?? 0;
      for (const value of reads[node]) {
        if (seenReads[value] === 1 || !isOutside(value)) continue;
        seenReads[value] = 1;
        readBytes += bytes[value];
        if (producedAt[value] >= 0) readTensors++;
        else readsRequest = 1;
      }
      for (const output of nodes[node].outputs) {
        if (output < 0) continue;
        computedBytes += bytes[output];
        liveBytes += bytes[output];
        if (!results.has(output)) endingAt[Math.max(position, lastUsedAt[output])] += bytes[output];
      }
      liveBytes -= endingAt[position];
    }
    if (position === order.length) {
      // The last slice computes the results that depend on constants alone.
      for (const value of results) held.addValue(value);
      run.runRepeated(repeatedProducers(dataflow, [...results]));
    }
    const estimate = sizeOf(held, pool, run, {
      readBytes,
      writeBytes: liveBytes,
      computedBytes,
      readTensors: readTensors + readsRequest,
      coreSeconds: coreSeconds + held.repeatedSeconds,
    });
    if (!visit(to, peaks.limited(estimate, start, position))) return;
  }
}

/** The table of each space, which the sizes of all its stretches share. */
const memories = new WeakMap<CutSpace, ModelMemory>();

function memoryOf(space: CutSpace): ModelMemory {
  const memory = memories.get(space) ?? modelMemory(space.dataflow, space.bytes);
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

function outputsOf({ dataflow }: CutSpace): ValueIndex[] {
  return dataflow.model.graph.outputs.map(({ value }) => value);
}
