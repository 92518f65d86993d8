/** What each stretch of nodes between two cuts would hold and move. */
import type { ValueIndex } from '../onnx/model';
import type { CutSpace } from './cuts';
import type { SliceSize } from './estimate';
import type { Dataflow } from './graph';
import { constantClosure } from './graph';

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
  const seenWeights = new Set<WeightId>();
  const seenClosures = new Set<readonly WeightId[]>();
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
      for (const closure of weights.usedAt[place]) {
        if (seenClosures.has(closure)) continue;
        seenClosures.add(closure);
        for (const weight of closure) {
          if (seenWeights.has(weight)) continue;
          seenWeights.add(weight);
          weightBytes += weights.bytes[weight];
        }
      }
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

type WeightId = number;

/** The weights that each place of `order` needs, constants that are computed again included. */
export interface NodeWeights {
  /** By place: lists of weights. One list, as an object, stands for one constant value wherever it is used. */
  readonly usedAt: readonly (readonly (readonly WeightId[])[])[];
  /** By weight, in bytes: as it is stored, or as it is computed from constants. */
  readonly bytes: readonly number[];
  /** Values that the caller gets. */
  readonly isResult: ReadonlySet<ValueIndex>;
}

/** @param valueBytes by value: the bytes that it is planned with */
export function nodeWeights(dataflow: Dataflow, valueBytes: readonly number[]): NodeWeights {
  const { initializers, nodes, values, outputs } = dataflow.model.graph;
  const bytes = [
    ...initializers.map(({ tensor, field }) => (tensor.data ? tensor.byteLength : field.length)),
    ...nodes.map(({ constant, field, outputs: made }) => {
      if (constant?.data) return constant.byteLength;
      return field.length + made.reduce((sum, value) => sum + (value < 0 ? 0 : valueBytes[value]), 0);
    }),
  ];
  const lists = new Map<ValueIndex, readonly WeightId[]>();
  const listOf = (value: ValueIndex): readonly WeightId[] => {
    const needed = new Set([value]);
    const weights: WeightId[] = [];
    for (const node of constantClosure(dataflow, [value])) {
      weights.push(initializers.length + node);
      for (const used of dataflow.needs[node]) needed.add(used);
    }
    for (const { initializer } of [...needed].map((used) => values[used])) {
      if (initializer !== undefined) weights.push(initializer);
    }
    return weights;
  };
  const usedAt = dataflow.order.map((node) =>
    dataflow.needs[node]
      .filter((value) => isConstant(dataflow, value))
      .map((value) => {
        const list = lists.get(value) ?? listOf(value);
        lists.set(value, list);
        return list;
      }),
  );
  return { usedAt, bytes, isResult: new Set(outputs.map(({ value }) => value)) };
}

function isConstant({ model, isConstantNode }: Dataflow, value: ValueIndex): boolean {
  const { initializer, producer } = model.graph.values[value];
  return initializer !== undefined || (producer !== undefined && isConstantNode[producer]);
}
