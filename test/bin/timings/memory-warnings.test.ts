import { memoryWarnings } from '../../../bin/timings/memory-warnings';

const MB = 2 ** 20;
const RAISE = '1000 MB: raise its memorySize';

test.each([
  [900 * MB, []],
  [900 * MB + 1, [`slice 2 peaked at 900 MB, which is close to the memory of its function, ${RAISE}`]],
  [1000 * MB, [expect.stringContaining('peaked at 1000 MB, which is close to')]],
  [1000 * MB + 1, [`slice 2 peaked at 1001 MB, its function has ${RAISE}`]],
])('a peak of %d bytes in a function of 1000 MB has the warnings %j', (peakMemoryBytes, warnings) => {
  expect(memoryWarnings([{ slice: 2, peakMemoryBytes, memoryMb: 1000 }])).toEqual(warnings);
});
