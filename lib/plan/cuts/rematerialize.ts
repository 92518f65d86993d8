/**
 * Chooses the nodes to repeat: arithmetic on shapes, positions and masks that each slice recomputes if it needs the result,
 * because the inputs of the arithmetic take fewer bytes to pass on than the result.
 */
import { type NodeIndex, type ValueIndex, OMITTED } from '../../onnx/model';
import type { CrossingRule } from '../../dataflow/crossing';
import { type Dataflow, nodesByRank, withRepeated } from '../../dataflow/dataflow';
import { type CutSpace, type PlanCosts, findCuts } from './cuts';

/** Recomputing must save at least this much, because it may read one more object, which costs as much as some 100 KB. */
const MIN_SAVED_BYTES = 1024;

/** Most origins that the search follows for one value, so that its time grows linearly with the graph. */
const MAX_ORIGINS = 32;

/**
 * The cuts of the model when slices recompute the results that cost fewer bytes to recompute than to pass on. If there are
 * any, `withoutRepeats` has the cuts of the model without recomputing them.
 *
 * @param rule whether a value can cross a cut
 * @param bytes by value: its planned bytes
 */
export function cutsWithRepeats(
  dataflow: Dataflow,
  rule: CrossingRule,
  bytes: readonly number[],
  costs: PlanCosts,
): CutSpace {
  const withoutRepeats = findCuts(dataflow, rule, bytes, costs);
  const repeated = nodesToRepeat(dataflow, rule, bytes);
  if (repeated.size === 0) return withoutRepeats;
  return { ...findCuts(withRepeated(dataflow, repeated), rule, bytes, costs), withoutRepeats };
}

/**
 * The cheap nodes whose results take more bytes than their origins, and the cheap nodes between them and the origins that
 * no other node needs. Origins must be able to cross a cut.
 */
function nodesToRepeat(dataflow: Dataflow, rule: CrossingRule, bytes: readonly number[]): Set<NodeIndex> {
  const { model, order } = dataflow;
  const { nodes, outputs } = model.graph;
  const origins = findOrigins(dataflow, rule, bytes);
  const needed = new Set(outputs.map(({ value }) => value));
  for (const { of } of origins.values()) for (const value of of) needed.add(value);
  const repeated = new Set<NodeIndex>();
  for (const node of [...order].reverse()) {
    const results = nodes[node].outputs.filter((output) => output !== OMITTED);
    const isWorthIt = results.every((value) => origins.has(value));
    const isNeeded = results.some((value) => needed.has(value));
    if (dataflow.isCheap[node] && (isWorthIt || !isNeeded)) repeated.add(node);
    // A node that runs in one slice only needs its inputs there.
    else for (const value of dataflow.needs[node]) needed.add(value);
  }
  return repeated;
}

interface Origins {
  readonly of: ReadonlySet<ValueIndex>;
  /** Bytes written, read and stored so that another slice has them. */
  readonly cost: number;
}

function findOrigins(
  dataflow: Dataflow,
  rule: CrossingRule,
  bytes: readonly number[],
): Map<ValueIndex, Origins> {
  const { model, order, needs, isCheap } = dataflow;
  const { values, nodes, outputs } = model.graph;
  const results = new Set(outputs.map(({ value }) => value));
  const constantBytes = sizesOfConstants(dataflow, bytes);
  // A computed value is written and read, a value of the request is read, and a constant is stored once more.
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
  // By value: its origins when all cheap nodes before it are repeated, and its origins when only worthwhile ones are.
  const furthest = new Map<ValueIndex, Origins>();
  const worthwhile = new Map<ValueIndex, Origins>();
  for (const node of order) {
    if (!isCheap[node]) continue;
    const computed = nodes[node].outputs.filter((output) => output !== OMITTED);
    // The producer of a model output runs in one slice only; later slices read the output from there.
    if (computed.some((value) => results.has(value))) continue;
    const back = union(node, furthest);
    if (back) for (const value of computed) furthest.set(value, back);
    const passingCost = computed.reduce((sum, value) => sum + costOf(value), 0);
    const candidates = [back, union(node, worthwhile)].filter((found) => found !== undefined);
    const best = candidates
      .filter(({ of }) => [...of].every(mayPass))
      .sort((a, b) => a.cost - b.cost)
      .at(0);
    if (best && best.cost + MIN_SAVED_BYTES <= passingCost)
      for (const value of computed) worthwhile.set(value, best);
  }
  return worthwhile;
}

/** By value: an upper bound for the bytes of a constant and of all constants that it is computed from. */
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
