/**
 * One Lambda function and Fargate beside slices, worked out by hand from the price pages as in `by-hand.test.ts`: a model with 100 MB of files
 * that computes 0.1 s and needs 1,769 MB, whose requests and results are inline.
 */
import { reportedArchitectures } from '../../bin/plan/report/reported-architectures';
import { type AlternativeId, type WholeModel } from '../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../lib/cost/alternatives/compare';
import type { CostOptions } from '../../lib/cost/options';
import { costModel } from '../../lib/cost/model';
import { chainOf, outcomesOf } from '../support/cost-fixtures';

const MODEL: WholeModel = {
  ...{ peakMemoryMb: 1769, fileBytes: 100e6, packedBytes: 0, activationBytes: 0, coreSeconds: 0.1 },
  ...{ requestBytes: 2048, responseBytes: 2048 },
};

function compare(requestsPerHour: number, model = MODEL, options: CostOptions = {}) {
  const chain = chainOf(2, {}, { memoryMb: 1769 });
  const plan = { slices: 2, memoryMb: 1769, fileBytes: 100e6, ...outcomesOf(costModel({}), chain) };
  return compareAlternatives(model, plan, { requestsPerHour, ...options });
}

function offer(id: AlternativeId, requestsPerHour: number) {
  const { alternatives } = compare(requestsPerHour);
  const found = alternatives.find((own) => own.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found.at(requestsPerHour);
}

it('one function of one vCPU', () => {
  const { size, warm, cold, dollarsPerMonth } = offer('one-function', 10);
  expect(size).toBe('1,769 MB');
  // (1.3 + 100) ms * 1769 / 1024 GB * 0.0166667 = 2.917. Call 0.2. Logs of START, END and REPORT, 337 bytes: 0.157.
  const dollars = 2.917 + 0.2 + 0.157;
  expect((warm.dollars ?? NaN) * 1e6).toBeCloseTo(dollars, 2);
  // Six GETs of 16 MiB 2.4. Logs of INIT_START and more in REPORT, 215 bytes: 0.100.
  // Init 137 + 150, first GET 41 + 35.781, download 270, session 36, page faults 16: 685.781 ms * 1769 / 1024 GB * 0.0166667 = 19.745.
  const coldDollars = dollars + 2.4 + 0.1 + 19.745;
  expect((cold.dollars ?? NaN) * 1e6).toBeCloseTo(coldDollars, 2);
  // The placement of 200 ms is not billed.
  expect(cold.time.mean - warm.time.mean).toBeCloseTo(200 + 685.781, 1);
  // e^(-10 * 360 / 3600) = 0.3679 of 7,300 runs are cold. The files: 0.09313 GB * 0.023 = 0.0021.
  const month = 7300e-6 * (0.6321 * dollars + 0.3679 * coldDollars) + 0.0021;
  expect(dollarsPerMonth).toBeCloseTo(month, 3);
});

it.each([
  // (1.3 + 100) / 0.25 = 405.2 ms; 1,000 requests keep a task busy for 0.113 of the time, of 0.6.
  // 730 h * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225 of the load balancer) = 30.302.
  [1000, '1 task of 0.25 vCPU and 2,048 MB', 405.2, 30.302],
  // 1.126 of the time would need two tasks of 0.25 vCPU; one of 0.5 vCPU is busy for 0.563: 730 * (0.02024 + 0.00889 + 0.0225) = 37.690.
  [10_000, '1 task of 0.5 vCPU and 2,048 MB', 202.6, 37.69],
])('Fargate at %d requests an hour', (rate, size, busyMs, dollarsPerMonth) => {
  const found = offer('fargate', rate);
  expect(found.size).toBe(size);
  expect(found.dollarsPerMonth).toBeCloseTo(dollarsPerMonth, 2);
  // The load balancer takes 5 ms in the median.
  expect(found.warm.time.quantile(0.5) - busyMs).toBeCloseTo(5, 0);
  expect(found.cold).toEqual(found.warm);
});

it.each<[AlternativeId, number, number | undefined, number]>([
  // 92 MB take 425 ms and 292 MB 898, so 127 MB take 507.8: * 1769 / 1024 * 0.0166667 = 14.620 a million. Warm 3.274, of 36.79 % cold runs 5.379.
  ['image', 507.8, 3.274 + 14.62, 7300e-6 * (3.274 + 0.3679 * 14.62)],
  // A restore of 1.72754 GB: 241.51 a million. The cache: 1.72754 * 0.0000015046 * 730 * 3600 = 6.831.
  ['snap-start', 590, 3.274 + 241.51, 7300e-6 * (3.274 + 0.3679 * 241.51) + 6.831],
  // 2 GB and one vCPU: 730 * (0.0997 + 2 * 0.0132).
  ['microvms', 0, undefined, 730 * (0.0997 + 0.0264)],
  // Three m7g.large, and $0.20 for a million of 7,300.
  ['managed-instances', 0, undefined, 730 * 3 * 0.0816 * 1.15 + 0.00146],
  ['gpu-instances', 0, undefined, 730 * 1.006 * 1.15 + 0.00146],
  ['sagemaker-asynchronous', 0, undefined, 730 * 0.115],
])('%s at 10 requests an hour', (id, startMs, coldDollars, dollarsPerMonth) => {
  const { warm, cold, dollarsPerMonth: month } = offer(id, 10);
  expect(cold.time.mean - warm.time.mean).toBeCloseTo(startMs, 1);
  if (coldDollars === undefined) expect(cold.dollars).toBeUndefined();
  else expect((cold.dollars ?? NaN) * 1e6).toBeCloseTo(coldDollars, 1);
  expect(month).toBeCloseTo(dollarsPerMonth, 1);
});

it('SageMaker Serverless has as many processors as a function of its memory', () => {
  const { size, warm } = offer('sagemaker-serverless', 10);
  // 2,048 / 1,769 = 1.1577 vCPUs, of which a run uses one: 101.3 ms, and the mean of the way through a balancer, 2 GB at $0.04 a million ms.
  expect(size).toBe('2,048 MB');
  const ms = (warm.dollars ?? NaN) * 1e6 * (1 / 0.04);
  expect(ms).toBeGreaterThan(101.3);
  expect(ms).toBeLessThan(101.3 + 15);
});

it('arm64 costs 20 % less a GB-second, and computes float32 in 1.03 times the time', () => {
  const arm = compare(1000, { ...MODEL, coreSeconds: 0.103 }, { architecture: 'arm64' });
  const { offers, recommended, sentence } = reportedArchitectures(compare(1000), arm);
  expect(offers.map(({ architecture }) => architecture)).toEqual(['x86_64', 'arm64']);
  // (1.3 + 103) ms * 1769 / 1024 * 0.0133334 = 2.402, and 0.357 of the call and its logs.
  expect(offers.map((own) => own.warmDollarsPerMillion)).toEqual([
    expect.closeTo(3.274, 2),
    expect.closeTo(2.759, 2),
  ]);
  expect(offers[1].warmP50 - offers[0].warmP50).toBeCloseTo(3, 0);
  expect(recommended).toBe('arm64');
  expect(sentence).toMatch(
    /: arm64 \$2\.76 and 11\d ms, x86_64 \$3\.27 and 11\d ms: arm64 is cheaper, x86_64 is faster: add --architecture arm64 if last bits may differ among generations of Graviton$/,
  );
});

it('x86_64 is cheaper where arm64 takes 1.3 times the time', () => {
  const arm = compare(1000, { ...MODEL, coreSeconds: 0.13 }, { architecture: 'arm64' });
  const { recommended, sentence } = reportedArchitectures(compare(1000), arm);
  expect(recommended).toBe('x86_64');
  expect(sentence).toMatch(/: x86_64 is cheaper and no slower$/);
});

// https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
it.each<[Partial<WholeModel>, string[]]>([
  [{}, []],
  [{ requestBytes: 3 * 720 * 720 * 4 }, ['its payload may have 4 MB']],
  [{ responseBytes: 5e6 }, ['its payload may have 4 MB']],
  [{ coreSeconds: 120 }, ['its calls may take 60 s']],
])('SageMaker Serverless with %j', (part, breaks) => {
  const { alternatives } = compare(1000, { ...MODEL, ...part });
  expect(alternatives.find(({ id }) => id === 'sagemaker-serverless')?.at(1000).breaks).toEqual(breaks);
});
