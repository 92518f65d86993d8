/** Schedules slices: decides from their inputs which run in sequence and which in parallel. */
import type { TensorSource } from '../../../contract/slice-manifest';
import { largestOf } from '../../extremes';

/** Stages that run in sequence. */
export type Schedule = readonly Stage[];

/** A slice that runs, a slice that only loads its files, or several schedules in parallel. */
export type Stage =
  | { readonly kind: 'slice'; readonly slice: number }
  | { readonly kind: 'warm-up'; readonly slice: number }
  | { readonly kind: 'parallel'; readonly branches: readonly Schedule[] };

/** The part of a plan that scheduling needs. */
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

/**
 * The time that a schedule takes when branches run in parallel.
 *
 * @param times by slice: its time, in any unit
 */
export function timeOf(schedule: Schedule, times: readonly number[]): number {
  return schedule.reduce((sum, stage) => {
    switch (stage.kind) {
      case 'slice':
        return sum + times[stage.slice];
      case 'warm-up':
        return sum;
      case 'parallel':
        return sum + largestOf(stage.branches.map((branch) => timeOf(branch, times)));
    }
  }, 0);
}

class Scheduler {
  constructor(
    private readonly reads: readonly ReadonlySet<number>[],
    private readonly ancestors: readonly ReadonlySet<number>[],
  ) {}

  /** @param slices ascending, one or more */
  schedule(slices: readonly number[]): Schedule {
    if (slices.length === 1) return [{ kind: 'slice', slice: slices[0] }];
    const groups = this.independentGroups(slices);
    if (groups.length > 1) {
      return [{ kind: 'parallel', branches: groups.map((group) => this.schedule(group)) }];
    }
    return this.stages(slices).flatMap((stage) => this.schedule(stage));
  }

  /** Groups of slices that read nothing from each other. */
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
