/** What each stretch of nodes between two cuts would hold and move. */
import type { NodeIndex, ValueIndex } from '../onnx/model';
import type { CutSpace } from './cuts';
import type { SliceSize } from './estimate';
import type { Dataflow } from './graph';

/**
 * Calls `visit` with the size of every stretch of `order` from the boundary `from` to each later boundary, until it
 * returns false. Boundaries are ascending places from 0 to `order.length`.
 */
export function sizeStretches(
  space: CutSpace,
  weights: NodeWeights,
  boundaries: readonly number[],
  from: number,
  visit: (to: number, size: SliceSize) => boolean,
): void {
  const { dataflow, bytes, made, lastUse } = space;
  const { order, reads, model } = dataflow;
  const { values, nodes } = model.graph;
  const start = boundaries[from];
  const held = weights.nothing();
  const seenReads = new Set<ValueIndex>();
  const endingAt = new Map<number, number>();
  let readBytes = 0;
  /** Bytes made in the stretch that it or someone later still needs: at its end, what it writes. */
  let liveBytes = 0;
  let mostLiveBytes = 0;
  let place = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; place < boundaries[to]; place++) {
      for (const value of weights.usedAt[place]) weights.addTo(held, value);
      for (const value of reads[order[place]]) {
        const isOutside = made[value] >= 0 ? made[value] < start : values[value].input !== undefined;
        if (!isOutside || seenReads.has(value)) continue;
        seenReads.add(value);
        readBytes += bytes[value];
      }
      for (const output of nodes[order[place]].outputs) {
        if (output < 0) continue;
        liveBytes += bytes[output];
        if (weights.isResult.has(output)) continue;
        const end = Math.max(place, lastUse[output]);
        endingAt.set(end, (endingAt.get(end) ?? 0) + bytes[output]);
      }
      mostLiveBytes = Math.max(mostLiveBytes, liveBytes);
      liveBytes -= endingAt.get(place) ?? 0;
    }
    const { weightBytes, repeatedBytes } = held;
    const activationBytes = mostLiveBytes + repeatedBytes;
    if (!visit(to, { weightBytes, activationBytes, readBytes, writeBytes: liveBytes })) return;
  }
}

/** What a stretch holds besides the values that its own nodes make. */
interface Held {
  /** By weight, first initializers, then nodes: whether it was seen. */
  readonly seen: Uint8Array;
  /** Initializers, and what is computed from constants alone. */
  weightBytes: number;
  /** What repeated nodes compute that are not constant. */
  repeatedBytes: number;
}

/** The weights and repeated nodes that each place of `order` needs. */
export interface NodeWeights {
  /** By place: the initializers and the values of repeated nodes that its node uses. */
  readonly usedAt: readonly (readonly ValueIndex[])[];
  nothing(): Held;
  /** Adds such a value and all that it is computed from; what is held already counts once. */
  addTo(held: Held, value: ValueIndex): void;
  /** Values that the caller gets. */
  readonly isResult: ReadonlySet<ValueIndex>;
}

/** @param valueBytes by value: the bytes that it is planned with */
export function nodeWeights(dataflow: Dataflow, valueBytes: readonly number[]): NodeWeights {
  const { needs, model, isConstantNode, isRepeated } = dataflow;
  const { initializers, nodes, values, outputs } = model.graph;
  const madeBytes = (results: readonly ValueIndex[]): number =>
    results.reduce((sum, value) => sum + (value < 0 ? 0 : valueBytes[value]), 0);
  const initializerBytes = initializers.map(({ tensor, field }) =>
    tensor.data ? tensor.byteLength : field.length,
  );
  const addNode = (held: Held, node: NodeIndex): void => {
    const { constant, field, outputs: results } = nodes[node];
    if (constant?.data) held.weightBytes += constant.byteLength;
    else if (isConstantNode[node]) held.weightBytes += field.length + madeBytes(results);
    else held.repeatedBytes += madeBytes(results);
  };
  const addTo = (held: Held, first: ValueIndex): void => {
    const { seen } = held;
    const pending = [first];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const { initializer, producer } = values[value];
      if (initializer !== undefined && seen[initializer] === 0) {
        seen[initializer] = 1;
        held.weightBytes += initializerBytes[initializer];
      }
      if (producer === undefined || !isRepeated[producer]) continue;
      const weight = initializers.length + producer;
      // What a node that was seen needs was seen with it: nothing is walked through twice.
      if (seen[weight] === 1) continue;
      seen[weight] = 1;
      addNode(held, producer);
      for (const needed of needs[producer]) pending.push(needed);
    }
  };
  return {
    usedAt: dataflow.order.map((node) => needs[node].filter((value) => comesAlong(dataflow, value))),
    nothing: () => ({
      seen: new Uint8Array(initializers.length + nodes.length),
      weightBytes: 0,
      repeatedBytes: 0,
    }),
    addTo,
    isResult: new Set(outputs.map(({ value }) => value)),
  };
}

/** Whether whoever needs the value has what makes it. */
function comesAlong({ model, isRepeated }: Dataflow, value: ValueIndex): boolean {
  const { initializer, producer } = model.graph.values[value];
  return initializer !== undefined || (producer !== undefined && isRepeated[producer]);
}
