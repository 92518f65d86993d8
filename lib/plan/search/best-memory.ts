/** Chooses the memory of the functions of a plan whose slices are known. */
import { MEMORY_MB_PER_VCPU } from '../sizes/lambda-quotas';
import type { SliceDemand, StepChoice } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { Found } from './incumbents';
import { bestSteps } from './optimum';
import type { PlanRequest } from './plan-request';
import type { Step } from './step';
import type { Steps } from './step-table';
import { dimensionsOf } from './step';
import { undominated } from './step-table';

/** A slice, and all that is chosen for it but its memory. */
export interface KnownSlice {
  readonly size: SliceSize;
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

/** The best plan of these slices, one after another; `undefined` if none keeps the limits. */
export function bestMemory(
  slices: readonly KnownSlice[],
  request: PlanRequest,
  grid: MemoryGrid,
): Found | undefined {
  const { model, transports, threads, temperature } = request;
  const count = slices.length + 1;
  const steps = new Array<readonly Step[]>(count * count).fill([]);
  const share = LEAST_STEP * Math.max(1, slices.length / FEW_SLICES);
  const sizesFrom = (least: number): readonly number[] =>
    grid === 'fine'
      ? fineSizes(least, request.maxMemoryMb, share)
      : [least, ...request.memorySizes.filter((size) => size > least)];
  slices.forEach(({ demand, choice }, slice) => {
    const priced = sizesFrom(demand.memoryMb).map((memoryMb): Step => {
      const { warmDollars, coldDollars, warmMs, loadMs, coldMs } = model.step(demand, {
        ...choice,
        memoryMb,
      });
      const { inState } = choice;
      return { warmDollars, coldDollars, warmMs, loadMs, coldMs, memoryMb, ...(inState && { inState }) };
    });
    steps[slice * count + slice + 1] = undominated(priced, dimensionsOf(temperature));
  });
  const chain: Steps = {
    ...{ count, steps, isLast: true },
    shared: { transport: transports[0], threads: threads[0] },
    size: (from) => slices[from].size,
    after: ({ boundary }, to) => steps[boundary * count + to],
    hasBranches: false,
    mayJoin: () => false,
    joins: () => false,
    leftInS3: () => 0,
  };
  return bestSteps(chain, { ...request, slices: undefined, epsilon: SAME_SHARE, stepEpsilon: SAME_SHARE });
}

/** From the least to the most; a function of one vCPU is among them. */
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
