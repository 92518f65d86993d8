import fc from 'fast-check';
import { type Calibration, calibrate } from '../../../lib/cost/calibration/calibrate';
import type { CalibrationOptions } from '../../../lib/cost/calibration/estimates';
import { type CallSample, type Samples, distributionOf } from '../../../lib/cost/calibration/samples';
import { parseConstants, printConstants } from '../../../lib/cost/constants/constants-file';
import { valuesOf } from '../../../lib/cost/constants/constant';
import { type Environment, ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { OUTPUT_BANDWIDTH } from '../../../lib/compute-time/reference-processor';

const OPTIONS: CalibrationOptions = {
  architecture: 'x86_64',
  stateMachineType: 'express',
  tensorStore: 's3-standard',
  name: 'a test',
};

/** 1,769 MB: one vCPU, so that processor time is elapsed time. */
const MEMORY_MB = 1769;
const START = Date.UTC(2026, 10, 25);
const MB = 1e6;

/** What the made-up functions take. */
const TRUTH = {
  initMs: 420,
  transitionMs: 33,
  firstByteMs: 51,
  putMs: 62,
  megabytesPerSecond: 25,
  placementMs: 310,
};

type Truth = typeof TRUTH;

const SIZES_MB = [20, 40, 60];
/** Elapsed time of processor time. */
const SPEED = ENVIRONMENT.processor.lambdaSpeed.value;
const REQUEST_MS = 2.4 / SPEED;
const CLIENT_MS = 0.9;
const CLIENT_ELAPSED_MS = CLIENT_MS / SPEED;
const COMPUTE_MS = 100;

/** Runs of three slices, of which the first is cold and the others are warm. */
function samplesOf(truth: Truth, runs: number): Samples {
  const calls = Array.from({ length: runs }, (_, run) => runOf(truth, `run ${run}`, run % 4 === 0)).flat();
  return {
    calls,
    warmUps: [],
    reports: calls.flatMap(({ report }) => (report === undefined ? [] : [report])),
  };
}

function runOf(truth: Truth, run: string, cold: boolean): CallSample[] {
  let startedAt = START;
  return SIZES_MB.map((megabytes, slice) => {
    const loadMs = cold
      ? truth.firstByteMs + (megabytes / truth.megabytesPerSecond) * 1000 + (20 + 0.045 * megabytes) / SPEED
      : 0;
    const durationMs =
      CLIENT_ELAPSED_MS + loadMs + truth.firstByteMs + truth.putMs + 2 * REQUEST_MS + COMPUTE_MS;
    const call: CallSample = {
      ...{ kind: 'ran', run, slice, startedAt: Math.round(startedAt), cold, warmedUp: false },
      ...{ s3Gets: 1, s3Puts: 1, expressGets: 0, expressPuts: 0 },
      ...{ weightBytes: megabytes * MB, loadMs, readMs: truth.firstByteMs + REQUEST_MS },
      ...{ runMs: COMPUTE_MS, writeMs: truth.putMs + REQUEST_MS, bytesRead: 4, bytesWritten: 4 },
      report: {
        ...{ durationMs, billedMs: Math.ceil(durationMs), memoryMb: MEMORY_MB, failed: false },
        ...(cold && { initMs: truth.initMs }),
      },
    };
    startedAt += loadMs + call.readMs + call.runMs + call.writeMs + CLIENT_ELAPSED_MS + truth.transitionMs;
    if (cold) startedAt += truth.placementMs + truth.initMs;
    return call;
  });
}

/** Through a file, as the commands read it. */
function environmentOf({ table }: Calibration): Environment {
  const text = printConstants('environment', table);
  return valuesOf(parseConstants(text, 'environment.json', 'environment', ENVIRONMENT));
}

function middleOf(pairs: Environment['s3']['standardGet']): number {
  return pairs.find(([percent]) => percent === 50)?.[1] ?? NaN;
}

function expectNear(value: number, truth: number): void {
  expect(Math.abs(value - truth)).toBeLessThanOrEqual(1 + 0.03 * truth);
}

describe('calibration', () => {
  it('finds the constants with which the samples were made', () => {
    const delay = fc.integer({ min: 5, max: 500 });
    const truths = fc.record({
      initMs: fc.integer({ min: 160, max: 3000 }),
      ...{ transitionMs: delay, firstByteMs: delay, putMs: delay, placementMs: delay },
      megabytesPerSecond: fc.integer({ min: 5, max: 90 }),
    });
    fc.assert(
      fc.property(truths, (truth) => {
        const { lambda, network, s3, stepFunctions, handler } = environmentOf(
          calibrate(samplesOf(truth, 40), OPTIONS),
        );

        expectNear(lambda.x86InitMs + lambda.runtimeLoadMs, truth.initMs);
        expectNear(lambda.placementMs, truth.placementMs);
        expectNear((network.burstRate * 2 ** 20) / 1e6, truth.megabytesPerSecond);
        expectNear(middleOf(s3.standardGet), truth.firstByteMs);
        expectNear(s3.standardFirstGetMs, truth.firstByteMs);
        expectNear(middleOf(s3.standardPut), truth.putMs);
        expectNear(middleOf(stepFunctions.express), truth.transitionMs);
        expectNear(handler.callCpuMs, CLIENT_MS);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['a few slow calls', 10, { writeMs: 60_000 }],
    ['calls whose tensors were in the event, which say nothing of S3', 3, { readMs: 0.2, s3Gets: 0 }],
  ])('is not moved by %s', (_, each, change) => {
    const { calls, ...rest } = samplesOf(TRUTH, 40);
    const odd = calls.map((call, index) => (index % each === each - 1 ? { ...call, ...change } : call));
    const { s3 } = environmentOf(calibrate({ calls: odd, ...rest }, OPTIONS));
    expectNear(middleOf(s3.standardPut), TRUTH.putMs);
    expectNear(middleOf(s3.standardGet), TRUTH.firstByteMs);
  });

  it('calibrates the constants of the given architecture, state machine and store', () => {
    const { table } = calibrate(samplesOf(TRUTH, 40), {
      ...OPTIONS,
      ...{ architecture: 'arm64', stateMachineType: 'standard', tensorStore: 's3-express' },
    });

    expect(table.lambda.armInitMs).toMatchObject({
      ...{ unit: 'ms', known: 'replaced', date: '2026-11' },
      source: 'calibrated from 30 samples of a test, 2026-11-25',
    });
    expect(Object.keys(table.stepFunctions)).toEqual(['standard1KiB']);
    expect(Object.keys(table.s3)).toEqual(
      expect.arrayContaining(['expressGet', 'expressPut', 'standardPut']),
    );
  });

  it.each([
    ['compares warm runs with a profile', 80, 4],
    ['counts the writing of outputs for other slices as work', 50, 0.03 * OUTPUT_BANDWIDTH],
  ])('%s', (_, coreMs, bytes) => {
    const { calls, ...rest } = samplesOf(TRUTH, 40);
    const last = SIZES_MB.length - 1;
    const slices = SIZES_MB.map((_size, slice) => ({
      ...{ memoryMb: MEMORY_MB, threads: 1, reads: 1, coreMs: slice === last ? 80 : coreMs },
    }));
    const written = calls.map((call) => ({ ...call, bytesWritten: call.slice === last ? 4 : bytes }));
    const { processor } = environmentOf(calibrate({ calls: written, ...rest }, { ...OPTIONS, slices }));
    expect(processor.lambdaSpeed).toBeCloseTo(0.8, 3);
  });
});

describe('robust statistics', () => {
  it('move and stretch the shape of a default distribution to the median and the quartiles of few samples', () => {
    const shape = (...delays: readonly number[]) =>
      delays.map((ms, index) => [[25, 50, 75, 95][index], ms] as const);
    const moved = (samples: readonly number[]) => distributionOf(samples, shape(20, 25, 30, 75));
    expect(moved([40, 60, 50])).toEqual(shape(45, 50, 55, 100));
    expect(moved([160, 160, 160, 160, 160])).toEqual(shape(160, 160, 160, 160));
    expect(distributionOf([160, 170], [[50, 20]])).toEqual([[50, 165]]);
  });
});
