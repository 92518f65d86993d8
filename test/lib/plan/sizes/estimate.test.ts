import {
  type MemorySize,
  ephemeralStorageMb,
  memoryMb,
  peakBytes,
  threadCount,
  timeoutSeconds,
  unevenness,
} from '../../../../lib/plan/sizes/estimate';

const MIB = 1024 * 1024;
const nothing: MemorySize = {
  ...{ weightBytes: 0, mappedBytes: 0, packedBytes: 0, bodyBytes: 0, activationBytes: 0, largestBytes: 0 },
  ...{ readBytes: 0, outputBytes: 0, copiedBytes: 0, nodes: 0 },
};
const bare = peakBytes(nothing);

describe('the function of a slice', () => {
  test('has at least 512 MB of memory', () => {
    expect(memoryMb(nothing)).toBe(512);
  });

  test.each([
    ['mappedBytes', 1],
    ['activationBytes', 1],
    ['readBytes', 1],
    ['outputBytes', 1],
    ['copiedBytes', 1],
    ['bodyBytes', 2],
  ] as const)('is expected to peak at %s times %i more than a bare function', (field, times) => {
    expect(peakBytes({ ...nothing, [field]: 1000 * MIB }) - bare).toBe(times * 1000 * MIB);
  });

  test('has memory for the expected peak with a margin of 15 %, in steps of 64 MB', () => {
    // 112 MB + 1,000 MiB are 1,107 MiB, and 1,273 MiB with the margin.
    expect(memoryMb({ ...nothing, mappedBytes: 1000 * MIB })).toBe(1280);
    expect(memoryMb({ ...nothing, activationBytes: 1000 * MIB })).toBe(1280);
  });

  test('has memory for the tensors of the call before, and for another place for the largest tensor', () => {
    // 107 MiB of a bare function, the tensors that are read, and those of the call before.
    expect(memoryMb({ ...nothing, readBytes: 1000 * MIB })).toBe(2112);
    expect(memoryMb({ ...nothing, activationBytes: 1000 * MIB, largestBytes: 1000 * MIB })).toBe(2112);
  });

  test('has a /tmp for the files with a tenth to spare, of at least 512 MB', () => {
    expect(ephemeralStorageMb(10 * MIB)).toBe(512);
    expect(ephemeralStorageMb(1000 * MIB)).toBe(1100);
  });

  test('has a timeout of a minute plus three times a cold call or its load at 40 MB/s, up to 15 minutes', () => {
    expect(timeoutSeconds(0, 0)).toBe(60);
    expect(timeoutSeconds(400e6, 5)).toBe(90);
    expect(timeoutSeconds(400e6, 95.9)).toBe(348);
    expect(timeoutSeconds(0, 281)).toBe(900);
  });

  test('has threads for the largest memory of the plan', () => {
    expect([512, 1769, 1770, 10_240, 99_999].map(threadCount)).toEqual([1, 1, 2, 6, 6]);
  });
});

test('the unevenness of a cut is 1 for equal slices, and more for others', () => {
  const whole = { nodes: 10, weightBytes: 20 };
  const of = (nodes: number, weightBytes: number, slices = 2) =>
    unevenness({ nodes, weightBytes }, whole, slices);
  expect(of(5, 10) + of(5, 10)).toBe(1);
  // Half of the nodes and a quarter of the weights: 2 * ((1/2 + 1/4) / 2)^2.
  expect(of(5, 5)).toBe(0.28125);
  expect(of(10, 20) + of(0, 0)).toBe(2);
  expect(unevenness({ nodes: 5, weightBytes: 0 }, { nodes: 10, weightBytes: 0 }, 2)).toBe(0.125);
});
