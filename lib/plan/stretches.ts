/** What each stretch of nodes between two cuts would hold and move. */
import type { ValueIndex } from '../onnx/model';
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
  const { order, needs, model } = dataflow;
  const { values, nodes } = model.graph;
  const start = boundaries[from];
  const seen = weights.nothing();
  const seenReads = new Set<ValueIndex>();
  const endingAt = new Map<number, number>();
  let weightBytes = 0;
  let readBytes = 0;
  /** Bytes made in the stretch that it or someone later still needs: at its end, what it writes. */
  let liveBytes = 0;
  let activationBytes = 0;
  let place = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; place < boundaries[to]; place++) {
      for (const constant of weights.usedAt[place]) weightBytes += weights.addTo(seen, constant);
      for (const value of needs[order[place]]) {
        const { input, initializer } = values[value];
        const isOutside =
          made[value] >= 0 ? made[value] < start : input !== undefined && initializer === undefined;
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
      activationBytes = Math.max(activationBytes, liveBytes);
      liveBytes -= endingAt.get(place) ?? 0;
    }
    if (!visit(to, { weightBytes, activationBytes, readBytes, writeBytes: liveBytes })) return;
  }
}

/** By weight, first initializers, then nodes: whether it was seen. */
type SeenWeights = Uint8Array;

/** The weights that each place of `order` needs, constants that are computed again included. */
export interface NodeWeights {
  /** By place: the constant values that its node uses. */
  readonly usedAt: readonly (readonly ValueIndex[])[];
  nothing(): SeenWeights;
  /** Bytes of a constant value and of all that it is computed from, without what `seen` has: it takes them in. */
  addTo(seen: SeenWeights, constant: ValueIndex): number;
  /** Values that the caller gets. */
  readonly isResult: ReadonlySet<ValueIndex>;
}

/** @param valueBytes by value: the bytes that it is planned with */
export function nodeWeights(dataflow: Dataflow, valueBytes: readonly number[]): NodeWeights {
  const { needs, model, isConstantNode } = dataflow;
  const { initializers, nodes, values, outputs } = model.graph;
  const bytes = [
    ...initializers.map(({ tensor, field }) => (tensor.data ? tensor.byteLength : field.length)),
    ...nodes.map(({ constant, field, outputs: made }) => {
      if (constant?.data) return constant.byteLength;
      return field.length + made.reduce((sum, value) => sum + (value < 0 ? 0 : valueBytes[value]), 0);
    }),
  ];
  const addTo = (seen: SeenWeights, constant: ValueIndex): number => {
    let sum = 0;
    const pending = [constant];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const { initializer, producer } = values[value];
      if (initializer !== undefined && seen[initializer] === 0) {
        seen[initializer] = 1;
        sum += bytes[initializer];
      }
      if (producer === undefined || !isConstantNode[producer]) continue;
      const weight = initializers.length + producer;
      // What a node that was seen needs was seen with it: nothing is walked through twice.
      if (seen[weight] === 1) continue;
      seen[weight] = 1;
      sum += bytes[weight];
      for (const needed of needs[producer]) pending.push(needed);
    }
    return sum;
  };
  const usedAt = dataflow.order.map((node) => needs[node].filter((value) => isConstant(dataflow, value)));
  return {
    usedAt,
    nothing: () => new Uint8Array(bytes.length),
    addTo,
    isResult: new Set(outputs.map(({ value }) => value)),
  };
}

function isConstant({ model, isConstantNode }: Dataflow, value: ValueIndex): boolean {
  const { initializer, producer } = model.graph.values[value];
  return initializer !== undefined || (producer !== undefined && isConstantNode[producer]);
}
