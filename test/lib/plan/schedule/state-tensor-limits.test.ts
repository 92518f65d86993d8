import * as fc from 'fast-check';
import type { Schedule } from '../../../../lib/cost/schedule';
import { scheduleSlices, slicesOf, withWarmUps } from '../../../../lib/plan/schedule/schedule';
import {
  type HandedOnPlan,
  leavingSlices,
  MAX_FRAGMENT_TENSORS,
  plannedCharacters,
  readersOf,
  stateTensorLimits,
} from '../../../../lib/plan/schedule/state-tensor-limits';
import { MAX_STATE_TENSORS } from '../../../../lib/plan/sizes/estimate';
import { anyReads, plan } from '../../../support/scheduled-plan';

/** A plan whose slices write one tensor of so many bytes. */
function sized(reads: readonly (readonly number[])[], writeBytes: readonly number[]): HandedOnPlan {
  const { slices, outputs } = plan(reads);
  return {
    outputs,
    slices: slices.map(({ inputs }, slice) => ({
      inputs,
      outputs: [{ name: `v${slice}` }],
      writeBytes: writeBytes[slice],
    })),
  };
}

const limitsOf = (handed: HandedOnPlan, variables?: number) =>
  [...stateTensorLimits(handed, scheduleSlices(handed), variables)].sort(([a], [b]) => a - b);

test('a slice may hand on tensors whose file is planned to take 48 KiB as base64, and no more', () => {
  const chain = (bytes: number) => sized([[], [0]], [bytes, 0]);
  const largest = 36_864 - 368;
  expect(plannedCharacters(chain(largest).slices[0])).toBe(MAX_STATE_TENSORS);
  expect(limitsOf(chain(largest))).toEqual([[0, MAX_STATE_TENSORS]]);
  expect(limitsOf(chain(largest + 1))).toEqual([]);
});

test('slices that one slice reads share its event, and the largest writes to S3 if it does not fit', () => {
  const four = [[], [0], [1], [2], [0, 1, 2, 3]];
  expect(limitsOf(sized(four, [4, 4, 4, 4, 4]))).toEqual([0, 1, 2, 3].map((slice) => [slice, 24_576]));
  expect(limitsOf(sized(four, [4, 30_000, 4, 4, 4]))).toEqual([0, 2, 3].map((slice) => [slice, 32_768]));
});

test('all slices of a run share the variables of an execution', () => {
  const chain = Array.from({ length: 101 }, (_, slice) => (slice === 0 ? [] : [slice - 1]));
  const bytes = chain.map(() => 4);
  expect(new Set(limitsOf(sized(chain, bytes)).map(([, limit]) => limit))).toEqual(new Set([10_485]));
  expect(limitsOf(sized(chain, bytes), MAX_FRAGMENT_TENSORS)[0]).toEqual([0, 1310]);
});

const anyPlan = anyReads.chain((reads) =>
  fc
    .array(fc.nat({ max: 50_000 }), { minLength: reads.length, maxLength: reads.length })
    .map((bytes) => sized(reads, bytes)),
);

/** Bytes of the outputs of all parallel states, of which the timings have at most 450 for each slice. */
function parallelOutputs(
  schedule: Schedule,
  limits: ReadonlyMap<number, number>,
  handed: HandedOnPlan,
): number[] {
  return schedule.flatMap((stage) => {
    if (stage.kind !== 'parallel') return [];
    const leaving = stage.branches.flatMap((branch) => leavingSlices(branch, readersOf(handed)));
    const characters = leaving.reduce((sum, slice) => sum + (limits.get(slice) ?? 0), 0);
    return [
      characters + 450 * slicesOf([stage]).length,
      ...stage.branches.flatMap((branch) => parallelOutputs(branch, limits, handed)),
    ];
  });
}

test('for any plan, no event, no parallel output and no run exceeds its quota, whatever the real sizes are', () => {
  fc.assert(
    fc.property(anyPlan, fc.boolean(), (handed, warmsUp) => {
      const inOrder = scheduleSlices(handed);
      const schedule = warmsUp ? withWarmUps(inOrder) : inOrder;
      const limits = stateTensorLimits(handed, schedule);
      const sum = (slices: readonly number[]) =>
        slices.reduce((total, slice) => total + (limits.get(slice) ?? 0), 0);
      const readers = readersOf(handed);
      handed.slices.forEach((_, reader) => {
        const sources = [...readers].filter(([, all]) => all.has(reader)).map(([source]) => source);
        expect(sum(sources)).toBeLessThanOrEqual(98_304);
      });
      for (const bytes of parallelOutputs(schedule, limits, handed)) expect(bytes).toBeLessThan(262_144);
      expect(sum([...limits.keys()])).toBeLessThanOrEqual(1_048_576);
      for (const [slice, limit] of limits) {
        expect(plannedCharacters(handed.slices[slice])).toBeLessThanOrEqual(limit);
        expect(limit).toBeLessThanOrEqual(MAX_STATE_TENSORS);
      }
    }),
  );
});
