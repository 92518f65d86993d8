/** Computes the size that a slice would have for each stretch of nodes between two possible cuts. */
import type { ValueIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import type { WeightTable } from '../../dataflow/weights';
import { HeldWeights } from '../../dataflow/weights';

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
  const { order, reads, model } = dataflow;
  const { values, nodes, outputs } = model.graph;
  const results = new Set(outputs.map(({ value }) => value));
  const start = boundaries[from];
  const held = new HeldWeights(weights);
  const seenReads = new Set<ValueIndex>();
  /** By position: bytes of the values whose last use it is. */
  const endingAt = new Map<number, number>();
  let readBytes = 0;
  let readTensors = 0;
  let readsRequest = 0;
  /** Bytes of values from the stretch that this or a later slice still needs. At the end, the slice writes them. */
  let liveBytes = 0;
  let mostLiveBytes = 0;
  let computedBytes = 0;
  let coreSeconds = 0;
  let position = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; position < boundaries[to]; position++) {
      const node = order[position];
      held.addNode(node);
      coreSeconds += weights.work[node] ?? 0;
      for (const value of reads[node]) {
        const isOutside =
          producedAt[value] >= 0 ? producedAt[value] < start : values[value].input !== undefined;
        if (!isOutside || seenReads.has(value)) continue;
        seenReads.add(value);
        readBytes += bytes[value];
        if (producedAt[value] >= 0) readTensors++;
        else readsRequest = 1;
      }
      for (const output of nodes[node].outputs) {
        if (output < 0) continue;
        computedBytes += bytes[output];
        liveBytes += bytes[output];
        if (results.has(output)) continue;
        const end = Math.max(position, lastUsedAt[output]);
        endingAt.set(end, (endingAt.get(end) ?? 0) + bytes[output]);
      }
      mostLiveBytes = Math.max(mostLiveBytes, liveBytes);
      liveBytes -= endingAt.get(position) ?? 0;
    }
    const { weightBytes, bodyBytes, repeatedBytes } = held;
    // An upper bound: the last use of a repeated result is unknown here, so each counts for the whole stretch.
    const activationBytes = mostLiveBytes + repeatedBytes;
    const size = {
      weightBytes,
      bodyBytes,
      activationBytes,
      readBytes,
      writeBytes: liveBytes,
      computedBytes,
      readTensors: readTensors + readsRequest,
      coreSeconds: coreSeconds + held.repeatedSeconds,
    };
    if (!visit(to, size)) return;
  }
}
