/** Builds the part of a plan that a schedule needs, and prints schedules. */
import * as fc from 'fast-check';
import type { SourcedTensor } from '../../contract/slice-manifest';
import type { Schedule, Stage } from '../../lib/cost/schedule';
import type { ScheduledPlan } from '../../lib/plan/schedule/schedule';

const from = (slice: number): SourcedTensor => ({
  name: `v${slice}`,
  dtype: 'float32',
  shape: null,
  source: { from: 'slice', slice },
});

/** @param reads by slice: the slices that it reads; slices that no other slice reads are results */
export function plan(reads: readonly (readonly number[])[]): ScheduledPlan {
  const read = new Set(reads.flat());
  const results = reads.map((_, slice) => slice).filter((slice) => !read.has(slice));
  return { slices: reads.map((sources) => ({ inputs: sources.map(from) })), outputs: results.map(from) };
}

/** By slice, for up to nine slices: the earlier slices that it reads. */
export const anyReads = fc
  .integer({ min: 1, max: 9 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, slice) =>
        fc.subarray(Array.from({ length: slice }, (__, earlier) => earlier)),
      ),
    ),
  );

/** Prints a schedule as `0 (1 2 | 3) 4`, and a warm-up of slice 4 as `w4`. */
export function scheduleText(schedule: Schedule): string {
  return schedule.map(stageText).join(' ');
}

function stageText(stage: Stage): string {
  switch (stage.kind) {
    case 'slice':
      return String(stage.slice);
    case 'warm-up':
      return `w${stage.slice}`;
    case 'parallel':
      return `(${stage.branches.map(scheduleText).join(' | ')})`;
  }
}
