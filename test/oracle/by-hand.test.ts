/**
 * Plans worked out by hand from the price pages and the published delays. Their arithmetic is in comments, in milliseconds and in dollars of a
 * million runs; GB are 2^30 bytes. A month has 365 / 12 days.
 *
 * Means of delays, by trapezoids: GET 35.781, PUT 48.666, transition of Express 26.000 and of Standard 167.985; in S3 Express GET 5.089, PUT 7.830.
 * A first GET takes 68 - 27 = 41 longer than later ones. Processors pass a MB in 2.7, and one connection to S3 in 1000 / 87 = 11.494.
 */
import type { CostOptions } from '../../lib/cost/options';
import type { SliceDemand, StepChoice } from '../../lib/cost/chain';
import { costModel } from '../../lib/cost/model';
import { chainOf, outcomesOf } from '../support/cost-fixtures';

/** 100 MB of files, 0.1 s of computing, and tensors of 1 MB that are read by one GET. */
const SLICE: Partial<SliceDemand> = {
  ...{ fileBytes: 100e6, packedBytes: 0, activationBytes: 0, coreSeconds: 0.1 },
  ...{ readBytes: 1e6, writeBytes: 1e6, requestBytes: 0 },
};

interface Row {
  readonly slices?: number;
  readonly options?: CostOptions;
  readonly demand?: Partial<SliceDemand>;
  readonly choice?: Partial<StepChoice>;
  readonly dollars: number;
  readonly warmMs: number;
  readonly coldMs: number;
}

const inline: CostOptions = { request: 'inline', result: 'inline' };
const alone: CostOptions = { ...inline, warmUp: false };

test.each<[name: string, row: Row]>([
  [
    'one function of one vCPU',
    {
      options: { warmUp: false },
      demand: { requestBytes: 1e6 },
      // Processor 1.3 + 2 * 3.6 = 8.5, connection 41, reading 11.494, computing 100, writing 11.494: 172.489.
      // Transition 26, GET 35.781, PUT 48.666, the caller's GET 35.781.
      warmMs: 318.717,
      // Placement 200, init 137 + 150, first byte 41 + 35.781, download 270, session 35 + 1, less 41 + 27 of waiting meanwhile: 801.781.
      // Page faults of the first run: 0.16 * 100 = 16.
      coldMs: 1136.498,
      // Lambda 172.489 + 35.781 + 48.666 = 256.936 ms * 1769 / 1024 GB * 0.0166667: 7.398. Call 0.2.
      // PUT 5, GET 0.4, of the caller 5 and 0.4. Storage 2 MB * 7 days: 0.001863 GB * 0.023 * 7 / 30.417 * 10^6 = 9.859.
      // Logs 1,131 bytes: 0.527. Express 1 + (0.3187 + 0.05) s / 16 GB * 16.67 = 1.384.
      dollars: 7.398 + 0.2 + 10.8 + 9.859 + 0.527 + 1.384,
    },
  ],
  [
    'the same on arm64',
    {
      options: { warmUp: false, architecture: 'arm64' },
      demand: { requestBytes: 1e6 },
      warmMs: 318.717,
      // Init takes 119 instead of 137.
      coldMs: 1118.498,
      // 256.936 * 1.72754 * 0.0133334 = 5.918 instead of 7.398.
      dollars: 5.918 + 0.2 + 10.8 + 9.859 + 0.527 + 1.384,
    },
  ],
  [
    'an inline request and result in half a GB of memory',
    {
      options: alone,
      choice: { memoryMb: 512 },
      // 512 / 1769 = 0.28943 vCPUs: (1.3 + 3.6) / 0.28943 = 16.930, computing 345.508; no GET, so the PUT opens the connection: 85 - 40 = 45.
      // Writing: 2.7 / 0.28943 = 9.329 is less than 11.494 of the connection. 16.930 + 345.508 + 45 + 11.494 = 418.932. 26 + 48.666.
      warmMs: 493.598,
      // 200 + 287 + 76.781 + 9.32871 * 100 = 932.871, session 36 / 0.28943 = 124.383: 1621.035. First run 16 / 0.28943 = 55.281.
      coldMs: 493.598 + 1621.035 + 55.281,
      // Lambda (418.932 + 48.666) * 0.5 * 0.0166667 = 3.897, call 0.2, PUT 5, storage of 1 MB * 7 days 4.930, logs 0.527.
      // Express 1 + 0.543598 / 16 * 16.67 = 1.566.
      dollars: 3.897 + 0.2 + 5 + 4.93 + 0.527 + 1.566,
    },
  ],
  [
    'two vCPUs and two threads',
    {
      options: alone,
      choice: { memoryMb: 3538, threads: 2 },
      // Computing 100 * (0.05 + 0.95 / 2) = 52.5. 4.9 + 52.5 + 45 + 11.494 = 113.894. 26 + 48.666.
      warmMs: 188.56,
      // As with one vCPU, because Node.js uses one: 200 + 287 + 76.781 + 270 + 36 + 16.
      coldMs: 188.56 + 885.781,
      // Lambda (113.894 + 48.666) * 3.45508 * 0.0166667 = 9.361. Express 1 + 0.23856 / 16 * 16.67 = 1.249.
      dollars: 9.361 + 0.2 + 5 + 4.93 + 0.527 + 1.249,
    },
  ],
  [
    'two slices, Express, with warm-ups',
    {
      slices: 2,
      options: inline,
      // First 4.9 + 45 + 100 + 11.494 = 161.394, second 8.5 + 41 + 11.494 + 100 + 11.494 = 172.489.
      // Transitions 3 * 26, PUTs 2 * 48.666, GET 35.781.
      warmMs: 161.394 + 172.489 + 78 + 97.332 + 35.781,
      // The first one loads for 869.781 and runs 16 longer, beside the load of the second one, which ends before it. The second one runs 16 longer.
      coldMs: 544.996 + 869.781 + 16 + 16,
      // Lambda (161.394 + 48.666 + 172.489 + 48.666 + 35.781 + 1.3 of the warm-up) = 468.296 * 0.0287924 = 13.483. Calls 0.6.
      // PUTs 10, GET 0.4. Storage: 1 MB for a day 0.704, 1 MB for 7 days 4.930. Logs 2 * 1,131 + 337 + 565 = 3,164 bytes: 1.473.
      // Express 1 + 0.594996 / 16 * 16.67 = 1.620.
      dollars: 13.483 + 0.6 + 10.4 + 5.634 + 1.473 + 1.62,
    },
  ],
  [
    'two slices, Standard, without warm-ups',
    {
      slices: 2,
      options: { ...alone, stateMachineType: 'standard' },
      // Two transitions of 167.985 instead of three of 26.
      warmMs: 161.394 + 172.489 + 335.97 + 97.332 + 35.781,
      // Both load: 869.781, and 869.781 - 68, because the second one reads its tensors meanwhile.
      coldMs: 802.966 + 869.781 + 801.781 + 32,
      // Lambda 466.996 * 0.0287924 = 13.446. Calls 0.4. Logs 2,262 bytes: 1.053. Four transitions of $25 a million.
      dollars: 13.446 + 0.4 + 10.4 + 5.634 + 1.053 + 100,
    },
  ],
  [
    'two slices, S3 Express One Zone between them, without warm-ups',
    {
      slices: 2,
      options: alone,
      choice: { writesTo: 's3-express' },
      // The first PUT of a call takes 56 - 7.4 = 48.6 longer, the first GET 52 - 4.8 = 47.2.
      // 4.9 + 48.6 + 100 + 11.494 = 164.994; 8.5 + 47.2 + 11.494 + 100 + 11.494 = 178.689. 2 * 26 + 7.830 + 5.089 + 48.666.
      warmMs: 164.994 + 178.689 + 52 + 7.83 + 5.089 + 48.666,
      // The second load hides 47.2 + 4.8 = 52.
      coldMs: 457.268 + 869.781 + 817.781 + 32,
      // Lambda 405.268 * 0.0287924 = 11.669. Calls 0.4. PUTs 1.13 + 5, GET 0.03.
      // Bytes 0.00093132 GB * (0.0032 + 0.0006) = 3.539. Storage: 0.00093132 * 0.11 / 30.417 = 3.368 for a day, and 4.930. Logs 1.053.
      // Express 1 + 0.507268 / 16 * 16.67 = 1.529.
      dollars: 11.669 + 0.4 + 6.16 + 3.539 + 8.298 + 1.053 + 1.529,
    },
  ],
  [
    'in a VPC',
    {
      options: { ...alone, networkInVpc: true },
      // 82 MiB a second: 1 MB in 11.630. 4.9 + 45 + 100 + 11.630 = 161.530. 26 + 48.666.
      warmMs: 236.196,
      // Download 1,163.017 instead of 270: 200 + 287 + 76.781 + 1163.017 + 36. First run 16.
      coldMs: 236.196 + 1762.798 + 16,
      // Lambda 210.196 * 0.0287924 = 6.052. Express 1 + 0.286196 / 16 * 16.67 = 1.298.
      dollars: 6.052 + 0.2 + 5 + 4.93 + 0.527 + 1.298,
    },
  ],
  [
    'files beyond the burst and the free /tmp, prepacked',
    {
      options: alone,
      demand: { fileBytes: 600e6, packedBytes: 500e6, activationBytes: 20e6 },
      warmMs: 236.06,
      // Processors pass 370.370 MB a second. The burst of 314.573 MB has a half that does not refill, and one that does, at 78.643 MB a second:
      // 157.286 + 157.286 / (1 - 78.643 / 370.370) = 356.973 MB in 963.827, and the other 243.027 MB in 3,090.248.
      // 200 + 287 + 76.781 + 4054.075 + session 35 + 6 + 500. First run 0.16 * 100 + 0.35 * 20 = 23.
      coldMs: 236.06 + 5158.856 + 23,
      // /tmp: 600 * 1.1 / 1.048576 = 630 MB, of which 118 are charged: 210.06 ms * 118 / 1024 * 0.0000309 = 0.00075.
      // Lambda 210.06 * 0.0287924 = 6.048. Express 1 + 0.28606 / 16 * 16.67 = 1.298.
      dollars: 6.048 + 0.001 + 0.2 + 5 + 4.93 + 0.527 + 1.298,
    },
  ],
  [
    'eight GETs of a large request',
    {
      options: { warmUp: false, result: 'inline' },
      demand: { requestGets: 8, readBytes: 120e6, requestBytes: 120e6 },
      // 1.3 + 9 * 3.6 = 33.7, 41, six connections pass 522 MB a second and the processor 370.370: 324, computing 100, writing 11.494.
      warmMs: 33.7 + 41 + 324 + 100 + 11.494 + 26 + 35.781 + 48.666,
      coldMs: 620.641 + 801.781 + 16,
      // Lambda 594.641 * 0.0287924 = 17.121. Call 0.2. PUT 5, GETs 3.2, the caller's PUT 5. Storage 121 MB * 7 days: 596.485. Logs 0.527.
      // Express 1 + 0.670641 / 16 * 16.67 = 1.699.
      dollars: 17.121 + 0.2 + 13.2 + 596.485 + 0.527 + 1.699,
    },
  ],
])('%s: a million warm runs, and the mean times of warm and cold ones', (_, row) => {
  const { slices = 1, options = {}, demand = {}, choice = {}, dollars, warmMs, coldMs } = row;
  const isInline = options.request === 'inline';
  const model = costModel(options);
  const chain = chainOf(slices, SLICE, choice).map((slice, at) => ({
    ...slice,
    demand: { ...slice.demand, ...(at === 0 && isInline && { readBytes: 0, requestBytes: 0 }), ...demand },
  }));
  const { warm, cold } = outcomesOf(model, chain);
  expect(warm.dollars * 1e6).toBeCloseTo(dollars, 2);
  expect(warm.time.mean).toBeCloseTo(warmMs, 1);
  expect(cold.time.mean).toBeCloseTo(coldMs, 1);
});
