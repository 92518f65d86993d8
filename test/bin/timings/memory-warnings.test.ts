import * as fc from 'fast-check';
import { memoryWarnings } from '../../../bin/timings/memory-warnings';

const MB = 2 ** 20;

describe('the warnings of memory', () => {
  it('name the slice, its peak and the memory of its function', () => {
    const timings = [
      { slice: 0, peakMemoryBytes: 100 * MB, memoryMb: 512 },
      { slice: 1, peakMemoryBytes: 572 * MB, memoryMb: 512 },
      { slice: 2, peakMemoryBytes: 480 * MB, memoryMb: 512 },
    ];
    expect(memoryWarnings(timings)).toEqual([
      'slice 1 peaked at 572 MB, its function has 512 MB: raise its memorySize',
      'slice 2 peaked at 480 MB, which is close to the memory of its function, 512 MB: raise its memorySize',
    ]);
  });

  it('name the whole model', () => {
    const timing = { whole: true as const, peakMemoryBytes: 600 * MB, memoryMb: 512 };
    expect(memoryWarnings([timing])).toEqual([
      'the whole model peaked at 600 MB, its function has 512 MB: raise its memorySize',
    ]);
  });

  it('begin above 90 % of the memory', () => {
    const at = (peakMemoryBytes: number) => memoryWarnings([{ slice: 0, peakMemoryBytes, memoryMb: 1000 }]);
    expect(at(900 * MB)).toEqual([]);
    expect(at(900 * MB + 1)).toEqual([expect.stringContaining('peaked at 900 MB, which is close to')]);
    expect(at(1000 * MB)).toEqual([expect.stringContaining('peaked at 1000 MB, which is close to')]);
    expect(at(1000 * MB + 1)).toEqual([
      expect.stringContaining('peaked at 1001 MB, its function has 1000 MB'),
    ]);
  });

  it('never show a peak above the memory as one that is not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 128, max: 10_240 }),
        fc.nat({ max: 2 ** 35 }),
        (limit, peakMemoryBytes) => {
          const warning = memoryWarnings([{ slice: 3, peakMemoryBytes, memoryMb: limit }]).at(0);
          const peak = Number(/peaked at (\d+) MB/.exec(warning ?? '')?.at(1));
          if (warning === undefined) expect(peakMemoryBytes).toBeLessThanOrEqual(0.9 * limit * MB);
          else expect(peak > limit).toBe(warning.includes('its function has'));
        },
      ),
    );
  });
});
