/** Where a model may be cut, and what each stretch between two cuts would hold and move. */
import { isBindable } from '../onnx/data-type';
import type { ValueIndex } from '../onnx/model';
import type { ValueType, ValueTypes } from '../shapes/value-types';
import type { SliceSize } from './estimate';
import type { Dataflow } from './graph';
import { constantClosure } from './graph';

/**
 * Whether a value of this type can cross a cut and leave the result as it is. float16 cannot: ONNX Runtime computes
 * most of its operators in float32 and drops conversions between neighbours, so that a cut rounds where the whole
 * model does not.
 */
export function canCross(type: ValueType): boolean {
  return type.dtype !== undefined && isBindable(type.dtype) && type.dtype !== 'float16';
}

/** The cuts of `order`: cut `c` lies before place `c`, from 1 to `order.length - 1`. */
export interface CutSpace {
  readonly dataflow: Dataflow;
  /** By value, in bytes. */
  readonly bytes: readonly number[];
  /** Bytes of the values that cross each cut. */
  readonly crossingBytes: readonly number[];
  /** A value that crosses the cut and must not; absent where the cut is legal. */
  readonly blocker: readonly (ValueIndex | undefined)[];
  /** The legal cuts, ascending. */
  readonly legal: readonly number[];
  /** By value: the place that makes it and the last that uses it; -1 where none in `order` does. */
  readonly made: Int32Array;
  readonly lastUse: Int32Array;
}

export function findCuts(dataflow: Dataflow, types: ValueTypes, bytes: readonly number[]): CutSpace {
  const { order, needs, model } = dataflow;
  const { values, nodes } = model.graph;
  const made = new Int32Array(values.length).fill(-1);
  const lastUse = new Int32Array(values.length).fill(-1);
  order.forEach((node, place) => {
    for (const output of nodes[node].outputs) if (output >= 0) made[output] = place;
    for (const value of needs[node]) lastUse[value] = place;
  });
  const change = new Float64Array(order.length + 2);
  const blocker = new Array<ValueIndex | undefined>(order.length + 1);
  let blockedUntil = 0;
  const crossing = values
    .map((_, value) => value)
    .filter((value) => made[value] >= 0 && lastUse[value] > made[value]);
  crossing.sort((a, b) => made[a] - made[b]);
  for (const value of crossing) {
    change[made[value] + 1] += bytes[value];
    change[lastUse[value] + 1] -= bytes[value];
    if (canCross(types[value])) continue;
    // Values come in the order in which they are made, so that each cut is marked once.
    for (let cut = Math.max(made[value] + 1, blockedUntil); cut <= lastUse[value]; cut++)
      blocker[cut] = value;
    blockedUntil = Math.max(blockedUntil, lastUse[value] + 1);
  }
  const crossingBytes: number[] = [];
  const legal: number[] = [];
  let live = 0;
  for (let cut = 0; cut <= order.length; cut++) {
    live += change[cut];
    crossingBytes.push(live);
    if (cut > 0 && cut < order.length && blocker[cut] === undefined) legal.push(cut);
  }
  return { dataflow, bytes, crossingBytes, blocker, legal, made, lastUse };
}

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
  const { dataflow, bytes, crossingBytes, made, lastUse } = space;
  const { order, needs, model } = dataflow;
  const results = new Set(model.graph.outputs.map(({ value }) => value));
  const start = boundaries[from];
  const seenWeights = new Set<number>();
  const seenReads = new Set<ValueIndex>();
  const outputsEndingAt = new Map<number, number>();
  let weightBytes = 0;
  let readBytes = 0;
  let writeBytes = 0;
  let activationBytes = 0;
  let place = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; place < boundaries[to]; place++) {
      const node = order[place];
      for (const weight of weights.usedAt[place]) {
        if (seenWeights.has(weight)) continue;
        seenWeights.add(weight);
        weightBytes += weights.bytes[weight];
      }
      for (const value of needs[node]) {
        const isOutside =
          made[value] >= 0 ? made[value] < start : model.graph.values[value].input !== undefined;
        if (!isOutside || seenReads.has(value) || model.graph.values[value].initializer !== undefined)
          continue;
        seenReads.add(value);
        readBytes += bytes[value];
      }
      let outputBytes = 0;
      for (const output of model.graph.nodes[node].outputs) {
        if (output < 0) continue;
        outputBytes += bytes[output];
        if (results.has(output)) writeBytes += bytes[output];
        if (results.has(output) || lastUse[output] <= place) continue;
        writeBytes += bytes[output];
        outputsEndingAt.set(lastUse[output], (outputsEndingAt.get(lastUse[output]) ?? 0) + bytes[output]);
      }
      activationBytes = Math.max(activationBytes, crossingBytes[place] + outputBytes);
      // A value whose last use lies inside the stretch is not written.
      writeBytes -= outputsEndingAt.get(place) ?? 0;
    }
    if (!visit(to, { weightBytes, activationBytes, readBytes, writeBytes })) return;
  }
}

/** The weights that each place of `order` needs, constants that are computed again included. */
export interface NodeWeights {
  /** By place: ids of weights. */
  readonly usedAt: readonly (readonly number[])[];
  /** By id of a weight, in bytes. */
  readonly bytes: readonly number[];
}

export function nodeWeights(dataflow: Dataflow): NodeWeights {
  const { initializers, nodes, values } = dataflow.model.graph;
  const bytes = [
    ...initializers.map(({ tensor, field }) => (tensor.data ? tensor.byteLength : field.length)),
    ...nodes.map(({ constant, field }) => (constant?.data ? constant.byteLength : field.length)),
  ];
  const usedAt = dataflow.order.map((node) => {
    const needed = new Set(dataflow.needs[node]);
    const ids: number[] = [];
    for (const constantNode of constantClosure(dataflow, needed)) {
      ids.push(initializers.length + constantNode);
      for (const value of dataflow.needs[constantNode]) needed.add(value);
    }
    for (const value of needed) {
      const { initializer } = values[value];
      if (initializer !== undefined) ids.push(initializer);
    }
    return ids;
  });
  return { usedAt, bytes };
}
