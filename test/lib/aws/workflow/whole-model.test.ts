import { smallestWarmUp } from '../../../../lib/aws/workflow/whole-model';
import type { Schedule } from '../../../../lib/plan/schedule/schedule';

/** A plan of slices with so many bytes of weights. */
function planOf(...bytes: readonly number[]) {
  const file = { file: 'f', sha256: '0' };
  return {
    slices: bytes.map((size) => ({ model: { ...file, bytes: 1 }, weights: { ...file, bytes: size } })),
  };
}

const ran = (slice: number): Schedule => [{ kind: 'slice', slice }];
const warmed = (slice: number): Schedule => [{ kind: 'warm-up', slice }];

test.each<[string, Schedule, number | undefined]>([
  ['the smallest', [{ kind: 'parallel', branches: [ran(0), warmed(1), warmed(2), warmed(3)] }, ...ran(1)], 2],
  [
    'none if slices run in parallel without warm-ups',
    [{ kind: 'parallel', branches: [ran(0), ran(1)] }],
    undefined,
  ],
  ['none in a sequence', [...ran(0), ...ran(1)], undefined],
])('of the warm-ups, the whole model loads after %s', (_, schedule, expected) => {
  expect(smallestWarmUp(schedule, planOf(1, 30, 20, 40))).toBe(expected);
});
