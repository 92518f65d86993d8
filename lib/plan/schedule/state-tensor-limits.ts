/**
 * Decides which slices may hand on their tensors in the state of the execution instead of S3, and bounds what each may hand on, so that
 * no quota of Step Functions is exceeded whatever the sizes turn out to be. A function that has more writes to S3.
 */
import { MAX_EVENT_TENSORS } from '../../../contract/slice-event';
import { MAX_STATE_TENSORS, headerBytes, stateCharacters } from '../sizes/estimate';
import type { Schedule, Stage } from '../../cost/schedule';
import { type ScheduledPlan, slicesOf } from './schedule';

/**
 * Largest result of a state, in bytes, and of all variables that it assigns:
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
const MAX_STATE_BYTES = 256 * 1024;

/** Of `MAX_STATE_BYTES`: for each slice its timing, as `lambda/tensor-flow/results.ts` counts it, and its fields' names. */
const TIMING_BYTES = 450;

/**
 * Most characters of all variables of a run. An execution may have 10 MiB of variables, and its own states may need some too:
 * https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
 */
export const MAX_RUN_TENSORS = 1024 * 1024;

/**
 * The same in a fragment, which may be inside an inline Map of the user. A Map runs 40 iterations at once, each with variables of its
 * own, which then take half of the 10 MiB: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
 */
export const MAX_FRAGMENT_TENSORS = MAX_RUN_TENSORS / 8;

export interface HandedOnPlan extends ScheduledPlan {
  readonly slices: readonly (ScheduledPlan['slices'][number] & {
    readonly outputs: readonly { readonly name: string }[];
    readonly writeBytes: number;
  })[];
}

/** By slice that may hand on its tensors in the state: the most characters of base64. The others write to S3. */
export type StateTensorLimits = ReadonlyMap<number, number>;

interface Place {
  readonly slices: ReadonlySet<number>;
  readonly characters: number;
}

/**
 * Slices that share a place share its characters evenly. If the planned size of one exceeds its share, it writes to S3, the largest
 * first, and the others share again.
 *
 * @param schedule with warm-ups, if the state machine has them
 * @param variables characters of all variables of a run
 */
export function stateTensorLimits(
  plan: HandedOnPlan,
  schedule: Schedule,
  variables: number = MAX_RUN_TENSORS,
): StateTensorLimits {
  const readers = readersOf(plan);
  const planned = plan.slices.map(plannedCharacters);
  const places = placesOf(plan, schedule, readers, variables);
  let slices = [...readers.keys()].filter((slice) => planned[slice] <= MAX_STATE_TENSORS);
  for (;;) {
    const limits = shares(slices, places);
    const excess = slices.filter((slice) => planned[slice] > (limits.get(slice) ?? 0));
    if (excess.length === 0) return limits;
    const largest = excess.reduce((a, b) => (planned[b] > planned[a] ? b : a));
    slices = slices.filter((slice) => slice !== largest);
  }
}

export function readersOf({ slices, outputs }: HandedOnPlan): ReadonlyMap<number, ReadonlySet<number>> {
  const readers = new Map<number, Set<number>>();
  const last = slices.length - 1;
  slices.forEach(({ inputs }, reader) => {
    for (const { source } of reader === last ? [...inputs, ...outputs] : inputs) {
      if (source.from === 'request' || source.slice === reader) continue;
      readers.set(source.slice, (readers.get(source.slice) ?? new Set()).add(reader));
    }
  });
  return readers;
}

/** The slices of a branch whose tensors are read outside of it. */
export function leavingSlices(branch: Schedule, readers: ReadonlyMap<number, ReadonlySet<number>>): number[] {
  const inside = new Set(slicesOf(branch));
  return [...inside].filter((slice) => [...(readers.get(slice) ?? [])].some((reader) => !inside.has(reader)));
}

/** Characters of base64 of the planned file. */
export function plannedCharacters({ outputs, writeBytes }: HandedOnPlan['slices'][number]): number {
  return stateCharacters(outputs.reduce((sum, { name }) => sum + headerBytes(name), writeBytes));
}

function shares(slices: readonly number[], places: readonly Place[]): Map<number, number> {
  const limits = new Map(slices.map((slice) => [slice, MAX_STATE_TENSORS] as const));
  for (const place of places) {
    const sharing = slices.filter((slice) => place.slices.has(slice));
    const share = Math.floor(place.characters / sharing.length);
    for (const slice of sharing) limits.set(slice, Math.min(share, limits.get(slice) ?? 0));
  }
  return limits;
}

function placesOf(
  plan: HandedOnPlan,
  schedule: Schedule,
  readers: ReadonlyMap<number, ReadonlySet<number>>,
  variables: number,
): Place[] {
  const events = plan.slices.map((_, reader): Place => {
    const sources = [...readers].filter(([, all]) => all.has(reader)).map(([slice]) => slice);
    return { slices: new Set(sources), characters: MAX_EVENT_TENSORS };
  });
  const all = { slices: new Set(readers.keys()), characters: variables };
  return [all, ...events, ...parallelPlaces(schedule, readers)];
}

/** The results of parallel states, which hold the tensors that leave their branches beside the timings of all slices. */
function parallelPlaces(schedule: Schedule, readers: ReadonlyMap<number, ReadonlySet<number>>): Place[] {
  return schedule.flatMap((stage: Stage): Place[] => {
    if (stage.kind !== 'parallel') return [];
    const leaving = stage.branches.flatMap((branch) => leavingSlices(branch, readers));
    const rest = MAX_STATE_BYTES - TIMING_BYTES * slicesOf([stage]).length;
    const characters = Math.max(0, Math.min(MAX_EVENT_TENSORS, rest));
    const inner = stage.branches.flatMap((branch) => parallelPlaces(branch, readers));
    return [{ slices: new Set(leaving), characters }, ...inner];
  });
}
