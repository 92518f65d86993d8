/** Chooses the memory of the functions of a plan whose slices are known. */
import type { SliceDemand, StepChoice } from '../../cost/chain';
import { largestOf } from '../../extremes';
import type { PlanRequest } from '../goal';
import { stepsOf } from '../search/cut-graph';
import { type Grid, lightestOf, weighingsOf } from '../search/weighing';
import { MEMORY_MB_PER_VCPU } from '../sizes/lambda-quotas';

export interface KnownSlice {
  readonly demand: SliceDemand;
  readonly choice: Omit<StepChoice, 'memoryMb'>;
}

export type Memory = readonly number[];

/** Memory sizes that are compared are multiples of this many MB... */
const STEP_MB = 64;
/** ...and larger than the ones before by at least this share. */
const LEAST_STEP = 0.04;

/** The memory of these slices that is best at some price of time. */
export function memoriesOf(slices: readonly KnownSlice[], request: PlanRequest, grid: Grid): Memory[] {
  const { maxMemoryMb, memorySizes } = request;
  const sizesFrom = (least: number): Memory =>
    grid === 'fine' ? fineSizes(least, maxMemoryMb) : [least, ...memorySizes.filter((size) => size > least)];
  const steps = slices.map(({ demand, choice }) =>
    stepsOf(sizesFrom(demand.memoryMb), demand, choice, request.model),
  );
  const found = weighingsOf(request, grid).flatMap((weigh) => {
    const memory = steps.map((own) => lightestOf(own, weigh).step.memoryMb);
    if (grid === 'coarse') return [memory];
    // A slice that is small because another one hides it may be the slower one by its random delays.
    return [memory, memory.map((least) => Math.max(least, largestOf(memory)))];
  });
  return [...new Map(found.map((memory) => [memory.join(' '), memory])).values()];
}

function fineSizes(least: number, most: number): number[] {
  const sizes = [least];
  for (let last = least; last < most;) {
    const next = Math.ceil((last * (1 + LEAST_STEP)) / STEP_MB) * STEP_MB;
    const border = last < MEMORY_MB_PER_VCPU && next > MEMORY_MB_PER_VCPU ? MEMORY_MB_PER_VCPU : next;
    last = Math.min(most, border);
    sizes.push(last);
  }
  return sizes;
}

/** The memory of one function, or of all, larger or smaller by 1, 2, 4, ... steps. @param least by slice */
export function nearMemories(memory: Memory, least: Memory, most: number): Memory[] {
  const steps = [1, 2, 4, 8, 16, 32].flatMap((step) => [step * STEP_MB, -step * STEP_MB]);
  const sizeOf = (slice: number, step: number): number => {
    const next = Math.round((memory[slice] + step) / STEP_MB) * STEP_MB;
    return Math.max(least[slice], Math.min(most, next));
  };
  const one = memory.flatMap((_, slice) =>
    [
      ...steps.map((step) => sizeOf(slice, step)),
      least[slice],
      Math.max(least[slice], MEMORY_MB_PER_VCPU),
    ].map((size) => memory.with(slice, size)),
  );
  const all = steps.map((step) => memory.map((_, slice) => sizeOf(slice, step)));
  return memory.length > 1 ? [...one, ...all] : one;
}

/** The memory of one function larger and that of the others smaller, or the other way round: near a limit, neither alone may help. */
export function exchangedMemories(memory: Memory, least: Memory, most: number): Memory[] {
  if (memory.length < 2) return [];
  const sizeOf = (slice: number, step: number): number =>
    Math.max(least[slice], Math.min(most, memory[slice] + step * STEP_MB));
  const steps = [1, 2, 4].flatMap((one) => [1, 2, 4].map((other) => [one, other] as const));
  return memory.flatMap((_, own) =>
    steps.flatMap(([one, other]) => [
      memory.map((_mb, slice) => sizeOf(slice, slice === own ? one : -other)),
      memory.map((_mb, slice) => sizeOf(slice, slice === own ? -one : other)),
    ]),
  );
}
