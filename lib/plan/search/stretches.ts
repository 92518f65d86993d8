/** What each stretch of nodes between two cuts would hold and move. */
import type { ValueIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import type { WeightTable } from '../../dataflow/weights';
import { HeldWeights } from '../../dataflow/weights';

/**
 * Calls `visit` with the size of every stretch of `order` from the boundary `from` to each later boundary, until it
 * returns false. Boundaries are ascending places from 0 to `order.length`.
 */
export function sizeStretches(
  space: CutSpace,
  weights: WeightTable,
  boundaries: readonly number[],
  from: number,
  visit: (to: number, size: SliceSize) => boolean,
): void {
  const { dataflow, bytes, made, lastUse } = space;
  const { order, reads, model } = dataflow;
  const { values, nodes, outputs: results } = model.graph;
  const isResult = new Set(results.map(({ value }) => value));
  const start = boundaries[from];
  const held = new HeldWeights(weights);
  const seenReads = new Set<ValueIndex>();
  const endingAt = new Map<number, number>();
  let readBytes = 0;
  /** Bytes made in the stretch that it or someone later still needs: at its end, what it writes. */
  let liveBytes = 0;
  let mostLiveBytes = 0;
  let madeBytes = 0;
  let place = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; place < boundaries[to]; place++) {
      held.addNode(order[place]);
      for (const value of reads[order[place]]) {
        const isOutside = made[value] >= 0 ? made[value] < start : values[value].input !== undefined;
        if (!isOutside || seenReads.has(value)) continue;
        seenReads.add(value);
        readBytes += bytes[value];
      }
      for (const output of nodes[order[place]].outputs) {
        if (output < 0) continue;
        madeBytes += bytes[output];
        liveBytes += bytes[output];
        if (isResult.has(output)) continue;
        const end = Math.max(place, lastUse[output]);
        endingAt.set(end, (endingAt.get(end) ?? 0) + bytes[output]);
      }
      mostLiveBytes = Math.max(mostLiveBytes, liveBytes);
      liveBytes -= endingAt.get(place) ?? 0;
    }
    const { weightBytes, bodyBytes, repeatedBytes } = held;
    // Of what is computed again it is not known here when it is used last: an upper bound.
    const activationBytes = mostLiveBytes + repeatedBytes;
    const size = { weightBytes, bodyBytes, activationBytes, readBytes, writeBytes: liveBytes, madeBytes };
    if (!visit(to, size)) return;
  }
}
