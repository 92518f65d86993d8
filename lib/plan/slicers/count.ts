/** Chooses a fixed number of slices. */
import { HeldWeights } from '../../dataflow/weights';
import { SlicedInferenceError, quoted } from '../../errors';
import { type CutSpace, candidateCuts, candidateLimit } from '../cuts/cuts';
import type { Range } from '../cuts/range-sizes';
import { CutGraph, split, whole } from '../search/cut-graph';
import { evenPath } from '../search/even-path';
import { memoryMb } from '../sizes/estimate';
import { tablesOf } from '../sizes/slice-tables';
import { leastMemory } from './range-search';
import type { Choice, NamedSlicer } from './slicer';

/** The search takes more than a second for more slices; these are cut at equal shares of the work. */
const MOST_SEARCHED_SLICES = 128;

/** Candidates for each slice, if a large number of slices is requested. */
const CANDIDATES_PER_SLICE = 4;

/** Chooses exactly `slices` slices, whose largest function is as small as a price allows, see `evenPath`. */
export function count(slices: number): NamedSlicer {
  if (!Number.isInteger(slices) || slices < 1) {
    throw new SlicedInferenceError(
      'the number of slices must be a whole number of 1 or more',
      String(slices),
      'pass a positive whole number',
    );
  }
  return {
    key: `count ${slices}`,
    choose: (space) => countedSlices(space, slices),
    chooseWithin: (space, ranges) =>
      ranges.length > slices || slices > MOST_SEARCHED_SLICES
        ? undefined
        : countedSlices(
            space,
            slices,
            ranges.slice(1).map(({ start }) => start),
          ),
  };
}

/**
 * Slices that need more memory than a function may have are only made if that cannot be avoided.
 *
 * @param needed legal cuts, ascending, that are among those of the slices: at most `count - 1`
 */
function countedSlices(space: CutSpace, slices: number, needed: readonly number[] = []): Choice {
  const { legal, costs } = space;
  if (slices - 1 > legal.length) throw tooMany(space, slices);
  if (slices === 1) return { groups: split(space, []) };
  const range = whole(space);
  const byWork = spreadCuts(
    legal,
    range,
    space.dataflow.order.map((node) => costs.work[node]),
    slices,
  );
  if (slices > MOST_SEARCHED_SLICES) return { groups: split(space, byWork) };
  const candidates = candidateLimit(range.end);
  const limit = Math.max(candidates, Math.min(CANDIDATES_PER_SLICE * slices, 2 * candidates));
  const byMemory = spreadCuts(legal, range, heldBytes(space), slices);
  const cuts = candidateCuts(space, legal, limit, [...byWork, ...byMemory, ...needed]);
  const all = CutGraph.of(space, cuts, range);
  const next = all.vertices.map((start) => needed.find((cut) => cut > start) ?? Infinity);
  const separated = all.where(({ from, to }) => all.vertices[to] <= next[from]);
  const request = leastMemory(space);
  const { maxMemoryMb } = request.model.options.environment.lambda;
  const fitting = separated.where(({ size }) => memoryMb(size) <= maxMemoryMb);
  const even = evenPath(fitting, request, slices) ?? evenPath(separated, request, slices);
  if (even === undefined) throw new Error('a plan without limits exists');
  return {
    groups: all.groupsOf(even.path),
    quality: { comparedCuts: cuts.length, comparedAllCuts: cuts.length === legal.length },
    isEven: true,
  };
}

/** By position in the order: bytes of the tensors that the node computes, and of the weights that no node before it needs. */
function heldBytes(space: CutSpace): readonly number[] {
  const { weights: table } = tablesOf(space);
  const held = new HeldWeights(table);
  return space.dataflow.order.map((node) => {
    const before = held.weightBytes;
    held.addNode(node);
    return held.weightBytes - before + table.outputBytes(node);
  });
}

function tooMany(space: CutSpace, count: number): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const { nodes, values } = model.graph;
  const most = space.legal.length + 1;
  const value = space.blocker.find((blocked) => blocked !== undefined);
  const own =
    order.length === nodes.length
      ? `its ${nodes.length} nodes`
      : `${order.length} of its ${nodes.length} nodes (the others are constant or unused)`;
  const reason =
    value === undefined
      ? ` for ${own}`
      : `; for example, ${quoted(values[value].name)} is ${space.rule(value)} and cannot cross a cut`;
  return new SlicedInferenceError(
    `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
    `${count} slices${reason}`,
    'use fewer slices',
  );
}

function spreadCuts(
  legal: readonly number[],
  { start }: Pick<Range, 'start'>,
  amounts: readonly number[],
  slices: number,
): readonly number[] {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  const targets: number[] = [];
  let before = 0;
  amounts.forEach((amount, position) => {
    before += amount;
    while (targets.length < slices - 1 && before * slices >= (targets.length + 1) * total)
      targets.push(start + position + 1);
  });
  return nearestCuts(legal, targets);
}

/** For each target the nearest legal cut that leaves enough cuts for the other targets. Both lists are ascending. */
function nearestCuts(legal: readonly number[], targets: readonly number[]): readonly number[] {
  const cuts: number[] = [];
  let next = 0;
  targets.forEach((target, index) => {
    const last = legal.length - (targets.length - index);
    let best = next;
    for (let at = next; at <= last; at++)
      if (Math.abs(legal[at] - target) < Math.abs(legal[best] - target)) best = at;
    cuts.push(legal[best]);
    next = best + 1;
  });
  return cuts;
}
