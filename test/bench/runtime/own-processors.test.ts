import {
  bucketMsOf,
  describeOwnProcessors,
  type MeasuredParts,
  withOwnProcessors,
} from '../../../bench/runtime/own-processors';

const MB = 1e6;

/** 100 MB at 100 MB/s, then 10 MB/s. */
const NETWORK = {
  connectionBytesPerSecond: 100 * MB,
  functionBytesPerSecond: 10 * MB,
  burst: { bytes: 100 * MB, bytesPerSecond: 100 * MB, refillShare: 0 },
};

const PARTS: MeasuredParts = {
  warmRunMs: 1000,
  firstCallMs: [300, 250, 200],
  laterCallMs: [200, 200, 210],
  loadCpuMs: [500, 1500, 400],
  startCpuMs: 100,
  sliceBytes: [50 * MB, 50 * MB, 50 * MB],
};

describe('a cold run with a processor for each function', () => {
  it('is a warm run, what first runs take longer, and the slowest load', () => {
    // Slice 1: 200 + 68 + 1,500 ms of its processor, of which slice 0 runs for 300 ms meanwhile.
    expect(withOwnProcessors(PARTS, NETWORK, 200)).toMatchObject({
      ms: 1000 + (100 + 50 + 0) + (200 + 68 + 1500 - 300),
      firstRunsMs: 150,
      slowest: { slice: 1, cpuMs: 1500, bucketMs: 500, meanwhileMs: 300 },
    });
  });

  it('waits for the bucket if that takes longer than the processor', () => {
    const parts = { ...PARTS, sliceBytes: [50 * MB, 50 * MB, 130 * MB] };
    // Slice 2: 100 MB in 1 s, 30 MB in 3 s, after a start of 100 ms.
    expect(withOwnProcessors(parts, NETWORK, 200).slowest).toMatchObject({
      slice: 2,
      ms: 200 + 68 + 100 + 4000 - 300,
    });
  });

  it('does not take the run of slice 0 off its own load', () => {
    const parts = { ...PARTS, loadCpuMs: [1400, 1500, 400] };
    expect(withOwnProcessors(parts, NETWORK, 200).slowest).toMatchObject({ slice: 0, ms: 200 + 68 + 1400 });
  });

  it('is described by its formulas', () => {
    expect(describeOwnProcessors(withOwnProcessors(PARTS, NETWORK, 200))).toBe(
      '  cold run = warm run + first runs + slowest load = 1.00 s + 0.15 s + 1.47 s = 2.62 s\n' +
        '  load of slice 1 = placement 0.20 s + first byte 0.07 s + the longer of processor 1.50 s ' +
        'and start 0.10 s + bucket 0.50 s - 0.30 s while slice 0 runs = 1.47 s',
    );
  });
});

it('the time in a bucket is that of the connections if they are slower', () => {
  const fast = { ...NETWORK, burst: { ...NETWORK.burst, bytesPerSecond: 5000 * MB } };
  // Six connections.
  expect(bucketMsOf(60 * MB, fast)).toBeCloseTo(100, 6);
});
