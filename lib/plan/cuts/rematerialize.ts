/**
 * Arithmetic on shapes, positions and masks that is computed again in each slice that needs its result, because what
 * it is computed from takes fewer bytes to pass on.
 */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { CrossingRule } from '../../dataflow/crossing';
import type { Dataflow } from '../../dataflow/dataflow';
import { nodesByRank, withRepeated } from '../../dataflow/dataflow';
import type { CutSpace } from './cuts';
import { findCuts } from './cuts';

/** Saving less than this is not worth the read of another object, which costs as much as some 100 KB. */
const MIN_SAVED_BYTES = 1024;

/** What a value is computed from is followed through at most so many values, so that a graph takes linear time. */
const MAX_ORIGINS = 32;

/** The cuts when slices recompute what `nodesToRepeat` returns, with the cuts without that as `withoutRepeats`. */
export function cutsWithRepeats(dataflow: Dataflow, rule: CrossingRule, bytes: readonly number[]): CutSpace {
  const withoutRepeats = findCuts(dataflow, rule, bytes);
  const repeated = nodesToRepeat(dataflow, rule, bytes);
  if (repeated.size === 0) return withoutRepeats;
  return { ...findCuts(withRepeated(dataflow, repeated), rule, bytes), withoutRepeats };
}

/**
 * The nodes that are to be repeated in each slice that needs them: those whose results are larger than what they are
 * computed from, with the cheap nodes between that nobody else needs.
 *
 * @param rule what the repeated nodes are computed from must be able to cross a cut
 * @param bytes by value: the bytes that it is planned with
 */
function nodesToRepeat(dataflow: Dataflow, rule: CrossingRule, bytes: readonly number[]): Set<NodeIndex> {
  const { model, order } = dataflow;
  const { nodes, outputs } = model.graph;
  const origins = findOrigins(dataflow, rule, bytes);
  const kept = new Set(outputs.map(({ value }) => value));
  for (const { of } of origins.values()) for (const value of of) kept.add(value);
  const repeated = new Set<NodeIndex>();
  for (const node of [...order].reverse()) {
    const made = nodes[node].outputs.filter((output) => output !== OMITTED);
    const isWorthIt = made.every((value) => origins.has(value));
    const isWanted = made.some((value) => kept.has(value));
    if (dataflow.isCheap[node] && (isWorthIt || !isWanted)) repeated.add(node);
    // Whoever stays in one slice keeps what it needs there too.
    else for (const value of dataflow.needs[node]) kept.add(value);
  }
  return repeated;
}

/** What a value can be computed from. */
interface Origins {
  /** Values that cross cuts, inputs of the model, and constants. */
  readonly of: ReadonlySet<ValueIndex>;
  /** Bytes written, read and stored to have them in another slice. */
  readonly cost: number;
}

/** The values that take fewer bytes to compute again than to pass on. */
function findOrigins(
  dataflow: Dataflow,
  rule: CrossingRule,
  bytes: readonly number[],
): Map<ValueIndex, Origins> {
  const { model, order, needs, isCheap } = dataflow;
  const { values, nodes, outputs } = model.graph;
  const results = new Set(outputs.map(({ value }) => value));
  const constantBytes = sizesOfConstants(dataflow, bytes);
  // What a slice makes is written and read, what a request gives is read, constants are stored once more.
  const costOf = (value: ValueIndex): number =>
    constantBytes[value] ?? (values[value].producer === undefined ? 1 : 2) * bytes[value];
  const union = (node: NodeIndex, known: ReadonlyMap<ValueIndex, Origins>): Origins | undefined => {
    const of = new Set<ValueIndex>();
    for (const value of needs[node]) {
      for (const origin of known.get(value)?.of ?? [value]) of.add(origin);
      if (of.size > MAX_ORIGINS) return undefined;
    }
    return { of, cost: [...of].reduce((sum, value) => sum + costOf(value), 0) };
  };
  const mayPass = (value: ValueIndex): boolean =>
    constantBytes[value] !== undefined || values[value].producer === undefined || rule(value) === undefined;
  // By value: as far back as cheap nodes go, and where that stops paying.
  const furthest = new Map<ValueIndex, Origins>();
  const worth = new Map<ValueIndex, Origins>();
  for (const node of order) {
    if (!isCheap[node]) continue;
    const made = nodes[node].outputs.filter((output) => output !== OMITTED);
    // A result stays in one slice, and what comes after it reads it there.
    if (made.some((value) => results.has(value))) continue;
    const back = union(node, furthest);
    if (back) for (const value of made) furthest.set(value, back);
    const madeCost = made.reduce((sum, value) => sum + costOf(value), 0);
    const candidates = [back, union(node, worth)].filter((found) => found !== undefined);
    const best = candidates
      .filter(({ of }) => [...of].every(mayPass))
      .sort((a, b) => a.cost - b.cost)
      .at(0);
    if (best && best.cost + MIN_SAVED_BYTES <= madeCost) for (const value of made) worth.set(value, best);
  }
  return worth;
}

/** By value: bytes of a constant and of all constants that it is computed from, an upper bound. */
function sizesOfConstants(dataflow: Dataflow, bytes: readonly number[]): (number | undefined)[] {
  const { model, needs, isConstantNode } = dataflow;
  const { values, nodes, initializers } = model.graph;
  const sizes = values.map(({ initializer }) =>
    initializer === undefined ? undefined : initializers[initializer].tensor.byteLength,
  );
  for (const node of nodesByRank(dataflow)) {
    if (!isConstantNode[node]) continue;
    const from = needs[node].reduce((sum, value) => sum + (sizes[value] ?? 0), 0);
    for (const output of nodes[node].outputs) if (output !== OMITTED) sizes[output] = from + bytes[output];
  }
  return sizes;
}
