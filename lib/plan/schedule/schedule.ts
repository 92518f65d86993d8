/** Schedules slices: which run in sequence and which in parallel, and which load while the first ones run. */
import type { Schedule, Stage } from '../../cost/schedule';
import type { TensorSource } from '../../../contract/slice-manifest';
import { largestOf, sumOf } from '../../extremes';
import { LOAD_BYTES_PER_SECOND } from '../sizes/estimate';
import type { SlicePlan } from '../file/plan';

export interface ScheduledPlan {
  readonly slices: readonly { readonly inputs: readonly Sourced[] }[];
  /** The model's outputs; the last slice gathers them. */
  readonly outputs: readonly Sourced[];
}

interface Sourced {
  readonly source: TensorSource;
}

/**
 * Starts each slice as early as sequences and parallel branches of a state machine allow. Some dependencies cannot be
 * expressed that way; then a slice also waits for slices that it does not read from.
 */
export function scheduleSlices(plan: ScheduledPlan): Schedule {
  const last = plan.slices.length - 1;
  const reads = plan.slices.map(({ inputs }, slice) => {
    const needed = slice === last ? [...inputs, ...plan.outputs] : inputs;
    const sources = needed.flatMap(({ source }) => (source.from === 'slice' ? [source.slice] : []));
    return new Set(sources.filter((source) => source !== slice));
  });
  // Slices read from earlier slices only, so the ancestors of all sources are known here.
  const ancestors: Set<number>[] = [];
  for (const sources of reads) {
    ancestors.push(new Set([...sources].flatMap((source) => [source, ...ancestors[source]])));
  }
  return new Scheduler(reads, ancestors).schedule(reads.map((_, slice) => slice));
}

/** The slices that a schedule runs, in the order in which it lists them. Warm-ups do not count. */
export function slicesOf(schedule: Schedule): number[] {
  return schedule.flatMap((stage) => {
    switch (stage.kind) {
      case 'slice':
        return [stage.slice];
      case 'warm-up':
        return [];
      case 'parallel':
        return stage.branches.flatMap(slicesOf);
    }
  });
}

class Scheduler {
  constructor(
    private readonly reads: readonly ReadonlySet<number>[],
    private readonly ancestors: readonly ReadonlySet<number>[],
  ) {}

  schedule(slices: readonly number[]): Schedule {
    if (slices.length === 1) return [{ kind: 'slice', slice: slices[0] }];
    const groups = this.independentGroups(slices);
    if (groups.length > 1) {
      return [{ kind: 'parallel', branches: groups.map((group) => this.schedule(group)) }];
    }
    return this.stages(slices).flatMap((stage) => this.schedule(stage));
  }

  private independentGroups(slices: readonly number[]): number[][] {
    const groups: number[][] = [];
    for (const slice of slices) {
      const joined = groups.filter((group) => group.some((other) => this.reads[slice].has(other)));
      for (const group of joined) groups.splice(groups.indexOf(group), 1);
      groups.push([...joined.flat(), slice].sort((a, b) => a - b));
    }
    return groups.sort(([a], [b]) => a - b);
  }

  /**
   * Stages that run in sequence. A pivot, which every other slice must run before or after, is a stage of its own; without
   * pivots, each level is a stage.
   */
  private stages(slices: readonly number[]): number[][] {
    const isOrdered = (a: number, b: number): boolean =>
      a === b || this.ancestors[a].has(b) || this.ancestors[b].has(a);
    const pivots = slices.filter((slice) => slices.every((other) => isOrdered(slice, other)));
    const positions = pivots.length === 0 ? this.levels(slices) : this.positionsAround(pivots, slices);
    const stages = new Map<number, number[]>();
    slices.forEach((slice, index) => {
      stages.set(positions[index], [...(stages.get(positions[index]) ?? []), slice]);
    });
    return [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  }

  /** By slice: an odd number for each pivot, and for other slices the even number between their neighboring pivots. */
  private positionsAround(pivots: readonly number[], slices: readonly number[]): number[] {
    return slices.map((slice) => {
      const pivot = pivots.indexOf(slice);
      return pivot >= 0
        ? 2 * pivot + 1
        : 2 * pivots.filter((earlier) => this.ancestors[slice].has(earlier)).length;
    });
  }

  /** By slice: the length of the longest chain of reads that ends at it. */
  private levels(slices: readonly number[]): number[] {
    const levels = new Map<number, number>();
    for (const slice of slices) {
      const before = [...this.reads[slice]].map((read) => levels.get(read) ?? -1);
      levels.set(slice, 1 + Math.max(-1, ...before));
    }
    return slices.map((slice) => levels.get(slice) ?? 0);
  }
}

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

/**
 * Whether warm-ups are worth their price: a call of a millisecond in an Express machine, a transition in a Standard one.
 *
 * @param bytes by slice: its files
 */
export function areWarmUpsWorthwhile(bytes: readonly number[], isExpress: boolean): boolean {
  if (bytes.length === 1) return false;
  const saved = (sumOf(bytes) - largestOf(bytes)) / LOAD_BYTES_PER_SECOND;
  return isExpress || saved >= MIN_SAVED_SECONDS;
}

/** By slice: the seconds that its files take to load at `LOAD_BYTES_PER_SECOND`. */
export function loadSeconds(plan: SlicePlan): number[] {
  return filesOfSlices(plan).map((bytes) => bytes / LOAD_BYTES_PER_SECOND);
}

/** By slice: the bytes of its files. */
export function filesOfSlices({ slices }: Pick<SlicePlan, 'slices'>): number[] {
  return slices.map(({ model, weights }) => model.bytes + (weights?.bytes ?? 0));
}
