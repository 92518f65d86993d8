/** Adds warm-ups to a schedule: later slices load while the first slices run, so a cold run waits for the slowest load only. */
import { LOAD_BYTES_PER_SECOND } from '../sizes/estimate';
import type { SlicePlan } from '../file/plan';
import { type Schedule, type Stage, slicesOf } from './schedule';
import { largestOf, sumOf } from '../../extremes';

/** Seconds of loading that warm-ups must save in a Standard machine, where AWS charges a state transition for each. */
const MIN_SAVED_SECONDS = 2;

/** The schedule with a warm-up for each slice that does not start at once, in parallel to the slices that do. */
export function withWarmUps(schedule: Schedule): Schedule {
  const [first, ...later] = schedule;
  const starting = first.kind === 'parallel' ? first.branches.map(withWarmUps) : [[first]];
  const warmUps = slicesOf(later).map((slice): Stage[] => [{ kind: 'warm-up', slice }]);
  const branches = [...starting, ...warmUps];
  return branches.length === 1 ? schedule : [{ kind: 'parallel', branches }, ...later];
}

/** Whether warm-ups are worth their price: a call of a millisecond in an Express machine, a transition in a Standard one. */
export function isWarmUpWorthwhile(plan: SlicePlan, isExpress: boolean): boolean {
  return areWarmUpsWorthwhile(fileBytes(plan), isExpress);
}

/** @param bytes by slice: the size of its files */
export function areWarmUpsWorthwhile(bytes: readonly number[], isExpress: boolean): boolean {
  if (bytes.length === 1) return false;
  const saved = (sumOf(bytes) - largestOf(bytes)) / LOAD_BYTES_PER_SECOND;
  return isExpress || saved >= MIN_SAVED_SECONDS;
}

/** By slice: the seconds that its files take to load at `LOAD_BYTES_PER_SECOND`. */
export function loadSeconds(plan: SlicePlan): number[] {
  return fileBytes(plan).map((bytes) => bytes / LOAD_BYTES_PER_SECOND);
}

function fileBytes({ slices }: SlicePlan): number[] {
  return slices.map(({ model, weights }) => model.bytes + (weights?.bytes ?? 0));
}
