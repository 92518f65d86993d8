import {
  ephemeralStorageMb,
  memoryMb,
  threadCount,
  timeoutSeconds,
} from '../../../../lib/plan/sizes/estimate';

const MIB = 1024 * 1024;
const nothing = { weightBytes: 0, bodyBytes: 0, activationBytes: 0, readBytes: 0, writeBytes: 0 };

describe('the function of a slice', () => {
  test('has at least 512 MB of memory', () => {
    expect(memoryMb(nothing)).toBe(512);
  });

  test('has memory for the weights, activations and tensors, in steps of 64 MB', () => {
    // (100 + 1,000) MiB with a margin of 15 % are 1,265 MB.
    expect(memoryMb({ ...nothing, weightBytes: 1000 * MIB })).toBe(1280);
    expect(memoryMb({ ...nothing, activationBytes: 1000 * MIB })).toBe(1280);
    expect(memoryMb({ ...nothing, readBytes: 1000 * MIB })).toBe(1280);
    expect(memoryMb({ ...nothing, writeBytes: 500 * MIB })).toBe(1280);
    expect(memoryMb({ ...nothing, weightBytes: 500 * MIB, bodyBytes: 500 * MIB })).toBe(1280);
  });

  test('has memory for weights in body graphs and functions twice, because ONNX Runtime does not map them', () => {
    const many = { ...nothing, weightBytes: 2 ** 30 };
    expect(memoryMb({ ...many, bodyBytes: 2 ** 30 })).toBe(memoryMb({ ...many, weightBytes: 2 ** 31 }));
  });

  test('has a /tmp for the files with a tenth to spare, of at least 512 MB', () => {
    expect(ephemeralStorageMb(10 * MIB)).toBe(512);
    expect(ephemeralStorageMb(1000 * MIB)).toBe(1100);
  });

  test('has a timeout of a minute plus three times the load time, up to 15 minutes', () => {
    expect(timeoutSeconds(0)).toBe(60);
    expect(timeoutSeconds(400e6)).toBe(90);
    expect(timeoutSeconds(100e9)).toBe(900);
  });

  test.each([
    [512, 1],
    [1769, 1],
    [1770, 2],
    [3008, 2],
    [10_240, 6],
    [99_999, 6],
  ])('has threads for the largest memory of the plan: %i MB, %i threads', (memory, threads) => {
    expect(threadCount(memory)).toBe(threads);
  });
});
