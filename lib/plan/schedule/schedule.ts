/** Which slices run one after the other and which side by side, from what they read of each other. */
import type { TensorSource } from '../../../contract/slice-manifest';

/** Stages that run one after the other. */
export type Schedule = readonly Stage[];

/** A slice, one that only loads, or several schedules side by side. */
export type Stage =
  | { readonly kind: 'slice'; readonly slice: number }
  | { readonly kind: 'warm-up'; readonly slice: number }
  | { readonly kind: 'parallel'; readonly branches: readonly Schedule[] };

/** What a schedule needs to know of a plan. */
export interface ScheduledPlan {
  readonly slices: readonly { readonly inputs: readonly Sourced[] }[];
  /** The results, which the last slice gathers. */
  readonly outputs: readonly Sourced[];
}

interface Sourced {
  readonly source: TensorSource;
}

/**
 * A schedule that starts each slice as early as states of a state machine can say. Where slices depend on each other
 * in a way that series and branches cannot express, some wait for more than they need.
 */
export function scheduleSlices(plan: ScheduledPlan): Schedule {
  const last = plan.slices.length - 1;
  const reads = plan.slices.map(({ inputs }, slice) => {
    const needed = slice === last ? [...inputs, ...plan.outputs] : inputs;
    const sources = needed.flatMap(({ source }) => (source.from === 'slice' ? [source.slice] : []));
    return new Set(sources.filter((source) => source !== slice));
  });
  // A slice reads from earlier ones only, whose ancestors are known by then.
  const ancestors: Set<number>[] = [];
  for (const sources of reads) {
    ancestors.push(new Set([...sources].flatMap((source) => [source, ...ancestors[source]])));
  }
  return new Scheduler(reads, ancestors).schedule(reads.map((_, slice) => slice));
}

/** All slices that a schedule runs, in the order in which they stand there. */
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

/** How long a schedule takes when branches run side by side, from how long each slice does. */
export function timeOf(schedule: Schedule, times: readonly number[]): number {
  return schedule.reduce((sum, stage) => {
    switch (stage.kind) {
      case 'slice':
        return sum + times[stage.slice];
      case 'warm-up':
        return sum;
      case 'parallel':
        return sum + Math.max(...stage.branches.map((branch) => timeOf(branch, times)));
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

  /** Groups between which nothing is read. */
  private independentGroups(slices: readonly number[]): number[][] {
    const groups: number[][] = [];
    for (const slice of slices) {
      const joined = groups.filter((group) => group.some((other) => this.reads[slice].has(other)));
      for (const group of joined) groups.splice(groups.indexOf(group), 1);
      groups.push([...joined.flat(), slice].sort((a, b) => a - b));
    }
    return groups.sort(([a], [b]) => a - b);
  }

  /** Stages that wait for each other: at slices that all others come before or after, otherwise level by level. */
  private stages(slices: readonly number[]): number[][] {
    const isOrdered = (a: number, b: number): boolean =>
      a === b || this.ancestors[a].has(b) || this.ancestors[b].has(a);
    const pivots = slices.filter((slice) => slices.every((other) => isOrdered(slice, other)));
    const places = pivots.length === 0 ? this.levels(slices) : this.placesAround(pivots, slices);
    const stages = new Map<number, number[]>();
    slices.forEach((slice, index) => {
      stages.set(places[index], [...(stages.get(places[index]) ?? []), slice]);
    });
    return [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  }

  /** By slice: odd numbers for the pivots, and for the others the even number between those that they lie between. */
  private placesAround(pivots: readonly number[], slices: readonly number[]): number[] {
    return slices.map((slice) => {
      const pivot = pivots.indexOf(slice);
      return pivot >= 0
        ? 2 * pivot + 1
        : 2 * pivots.filter((earlier) => this.ancestors[slice].has(earlier)).length;
    });
  }

  /** By slice: the length of the longest chain of reads that leads to it. */
  private levels(slices: readonly number[]): number[] {
    const levels = new Map<number, number>();
    for (const slice of slices) {
      const before = [...this.reads[slice]].map((read) => levels.get(read) ?? -1);
      levels.set(slice, 1 + Math.max(-1, ...before));
    }
    return slices.map((slice) => levels.get(slice) ?? 0);
  }
}
