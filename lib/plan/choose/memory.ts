/** Chooses the memory of the functions of a plan whose slices are known. */
import type { SliceDemand, StepChoice, Transport } from '../../cost/chain';
import type { PlanRequest } from '../goal';
import { bestPath } from '../search/label-setting';
import { stepsOf } from '../search/cut-graph';
import type { Found } from '../search/pruning';
import { MEMORY_MB_PER_VCPU } from '../sizes/lambda-quotas';

export interface KnownSlice {
  readonly demand: SliceDemand;
  readonly choice: Omit<StepChoice, 'memoryMb'>;
}

/** Memory sizes that are compared are multiples of this many MB... */
const STEP_MB = 64;
/** ...and larger than the ones before by at least this share. */
const LEAST_STEP = 0.04;

/** If a plan has more slices than this, larger steps keep its search short... */
const FEW_SLICES = 3;
/** ...and plans that differ by this share at each slice are about the same, because three totals leave too many plans comparable. */
const SAME_SHARE = 0.002;

/** How many sizes are compared: the few of the request, or a grid. */
export type MemoryGrid = 'coarse' | 'fine';

/** The best plan of these slices, one after another: a path without other vertices. `undefined` if none keeps the limits. */
export function bestMemory(
  slices: readonly KnownSlice[],
  transport: Transport,
  request: PlanRequest,
  grid: MemoryGrid,
): Found | undefined {
  const { model, temperature } = request;
  const share = LEAST_STEP * Math.max(1, slices.length / FEW_SLICES);
  const sizesFrom = (least: number): readonly number[] =>
    grid === 'fine'
      ? fineSizes(least, request.maxMemoryMb, share)
      : [least, ...request.memorySizes.filter((size) => size > least)];
  const edges = slices.map(({ demand, choice }, from) => ({
    from,
    to: from + 1,
    steps: stepsOf(sizesFrom(demand.memoryMb), demand, choice, request),
  }));
  return bestPath(
    { vertices: slices.length + 1, edges, model, temperature, transport, isLast: true },
    { ...request, slices: undefined, epsilon: SAME_SHARE, stepEpsilon: SAME_SHARE },
  );
}

function fineSizes(least: number, most: number, share: number): number[] {
  const sizes = [least];
  for (let last = least; last < most;) {
    const next = Math.ceil((last * (1 + share)) / STEP_MB) * STEP_MB;
    const border = last < MEMORY_MB_PER_VCPU && next > MEMORY_MB_PER_VCPU ? MEMORY_MB_PER_VCPU : next;
    last = Math.min(most, border);
    sizes.push(last);
  }
  return sizes;
}
