import { memoryWarnings } from '../../../bin/timings/memory-warnings';

const MB = 2 ** 20;
const HAS = 'and its function has 1000 MB: raise its memorySize';

test.each([
  [900 * MB, []],
  [900 * MB + 1, [`slice 2 peaked at 901 MB, ${HAS}`]],
  [1000 * MB + 1, [`slice 2 peaked at 1001 MB, ${HAS}`]],
])('a peak of %d bytes in a function of 1000 MB has the warnings %j', (peakMemoryBytes, warnings) => {
  expect(memoryWarnings([{ slice: 2, peakMemoryBytes, memoryMb: 1000 }])).toEqual(warnings);
});
