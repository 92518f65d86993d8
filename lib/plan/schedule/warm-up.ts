/** Lets slices load while the first ones run, so that a cold run waits for the slowest load instead of for all of them. */
import { LOAD_BYTES_PER_SECOND } from '../sizes/estimate';
import type { SlicePlan } from '../plan';
import type { Schedule, Stage } from './schedule';
import { slicesOf } from './schedule';

/** In a Standard machine each warm-up is a transition that is paid for: seconds of loading that are worth them. */
const WORTH_TRANSITIONS_SECONDS = 2;

/** The schedule with warm-ups of all slices that do not start at once, beside those that do. */
export function withWarmUps(schedule: Schedule): Schedule {
  const [first, ...later] = schedule;
  const starting = first.kind === 'parallel' ? first.branches.map(withWarmUps) : [[first]];
  const warmUps = slicesOf(later).map((slice): Stage[] => [{ kind: 'warm-up', slice }]);
  const branches = [...starting, ...warmUps];
  return branches.length === 1 ? schedule : [{ kind: 'parallel', branches }, ...later];
}

/** Whether warm-ups are worth their price: in an Express machine a call of a millisecond, in a Standard one a transition. */
export function isWarmUpWorthwhile(plan: SlicePlan, isExpress: boolean): boolean {
  if (plan.slices.length === 1) return false;
  return isExpress || secondsSaved(plan) >= WORTH_TRANSITIONS_SECONDS;
}

function secondsSaved(plan: SlicePlan): number {
  const seconds = loadSeconds(plan);
  return sumOf(seconds) - Math.max(...seconds);
}

/** By slice: how long its files take to load, at the bandwidth that plans are made with. */
export function loadSeconds({ slices }: SlicePlan): number[] {
  return slices.map(({ model, weights }) => (model.bytes + (weights?.bytes ?? 0)) / LOAD_BYTES_PER_SECOND);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
