/** The slices of a fixed number. */
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import { SlicedInferenceError, quoted } from '../../errors';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import { candidateCuts, candidateLimit } from './candidates';
import { evenChain } from './even-chain';
import { busyMs } from './evenness';
import { quickPlan } from './optimum';
import { groupsOf, split, whole } from './partition';
import type { Choice, PlanRequest } from './plan-request';
import { spreadCuts } from './spread-cuts';
import { StretchChains } from './stretch-chains';
import { stretchPlan } from './stretch-plan';
import { StretchTable } from './stretch-table';

/** The search takes more than a second for more slices; these are cut at equal shares of the work. */
export const MOST_SEARCHED_SLICES = 128;

/** Candidates for each slice, if a large number of slices is requested. */
const CANDIDATES_PER_SLICE = 4;

/** Options of `countedSlices`. */
export interface CountedOptions {
  /** Legal cuts, ascending, that are among those of the slices: at most `count - 1`. */
  readonly needed?: readonly number[];
  /**
   * The most memory of a function in MB; slices that need more are only made if that cannot be avoided.
   *
   * @default Infinity
   */
  readonly maxMemoryMb?: number;
  /** @default MOST_BYTES_FACTOR */
  readonly bytesFactor?: number;
}

/**
 * Exactly `count` slices, whose largest function is as small as cuts with few bytes allow: see `evenChain`.
 *
 * @param request by what the cheapest slices are chosen, with which the even ones are compared; its number of slices is replaced
 * @throws SlicedInferenceError if the model has fewer than `count - 1` legal cuts
 */
export function countedSlices(
  space: CutSpace,
  count: number,
  request: PlanRequest,
  { needed = [], maxMemoryMb = Infinity, bytesFactor }: CountedOptions = {},
): Choice {
  const { legal } = space;
  const range = whole(space);
  if (count - 1 > legal.length) throw tooMany(space, count);
  if (count === 1) return { groups: split(space, [], range) };
  const byWork = spreadCuts(legal, range, workOf(space), count);
  if (count > MOST_SEARCHED_SLICES) return { groups: split(space, byWork, range) };
  const candidates = candidateLimit(range.end);
  const limit = Math.max(candidates, Math.min(CANDIDATES_PER_SLICE * count, 2 * candidates));
  const byMemory = spreadCuts(legal, range, heldBytes(space), count);
  const cuts = candidateCuts(space, legal, limit, [...byWork, ...byMemory, ...needed]);
  const all = StretchTable.of(space, cuts, range);
  const fitting = all.only((size) => memoryMb(size) <= maxMemoryMb);
  const model = space.costs.model();
  const busy = (size: SliceSize): number => busyMs(size, model);
  const ofFitting = new StretchChains(fitting, count, busy, needed);
  const fits = ofFitting.fewestBytes({}) !== undefined;
  const chains = fits ? ofFitting : new StretchChains(all, count, busy, needed);
  const even = evenChain(chains, count, all.coreSeconds, bytesFactor);
  const own = { ...request, slices: count };
  const table = fits ? fitting : all;
  const cheapest = quickPlan(table, own);
  if (even === undefined || cheapest === undefined) throw new Error('a plan without limits exists');
  return {
    groups: split(space, even.cuts, range),
    quality: { comparedCuts: cuts.length, comparedAllCuts: cuts.length === legal.length },
    evenness: {
      mostBytes: even.mostBytes,
      cheapest: groupsOf(space, stretchPlan(table, own, cheapest)),
    },
  };
}

/** By position in the order: seconds of computing. */
function workOf({ dataflow, costs }: CutSpace): readonly number[] {
  return dataflow.order.map((node) => costs.work[node]);
}

/** By position in the order: bytes of the tensors that the node computes, and of the weights that no node before it needs. */
function heldBytes({ dataflow, bytes }: CutSpace): readonly number[] {
  const table = new WeightTable(dataflow, bytes);
  const held = new HeldWeights(table);
  return dataflow.order.map((node) => {
    const before = held.weightBytes;
    held.addNode(node);
    return held.weightBytes - before + table.outputBytes(node);
  });
}

function tooMany(space: CutSpace, count: number): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const most = space.legal.length + 1;
  const total = model.graph.nodes.length;
  if (count > order.length) {
    return new SlicedInferenceError(
      `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
      order.length === total
        ? `${count} slices for its ${total} nodes`
        : `${count} slices for ${order.length} of its ${total} nodes (the others are constant or unused)`,
      'use fewer slices',
    );
  }
  const value = space.blocker.find((blocked) => blocked !== undefined);
  const reason =
    value === undefined
      ? ''
      : `; for example, ${quoted(model.graph.values[value].name)} is ${space.rule(value)} and cannot cross a cut`;
  return new SlicedInferenceError(
    `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
    `${count} slices${reason}`,
    'use fewer slices',
  );
}
