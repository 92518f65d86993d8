/**
 * One Lambda function and Fargate beside slices, worked out by hand from the price pages as in `by-hand.test.ts`: a model with 100 MB of files
 * that computes 0.1 s and needs 1,769 MB, whose requests and results are inline.
 */
import { type AlternativeId, type WholeModel } from '../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../lib/cost/alternatives/compare';
import { costModel } from '../../lib/cost/model';
import { chainOf, outcomesOf } from '../support/cost-fixtures';

const MODEL: WholeModel = {
  ...{ peakMemoryMb: 1769, fileBytes: 100e6, packedBytes: 0, activationBytes: 0, coreSeconds: 0.1 },
  ...{ requestBytes: 2048, responseBytes: 2048 },
};

function offer(id: AlternativeId, requestsPerHour: number) {
  const chain = chainOf(2, {}, { memoryMb: 1769 });
  const plan = { slices: 2, memoryMb: 1769, fileBytes: 100e6, ...outcomesOf(costModel({}), chain) };
  const { alternatives } = compareAlternatives(MODEL, plan, { requestsPerHour });
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
