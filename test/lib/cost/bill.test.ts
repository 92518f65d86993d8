import fc from 'fast-check';
import { type BillOptions, type LoggedCall, type LoggedReport, billOf } from '../../../lib/cost/bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../../lib/cost/constants/defaults';
import { type LineItems, addItems, sumOfItems } from '../../../lib/cost/step';

const OPTIONS: BillOptions = {
  ...{ architecture: 'x86_64', prices: DEFAULT_PRICES, environment: DEFAULT_ENVIRONMENT, retentionDays: 1 },
};
const START = Date.UTC(2026, 10, 26);
const RAN: LoggedCall = {
  ...{ kind: 'ran', run: 'machine/a', slice: 0, warmedUp: false },
  ...{ runMs: 0, loadMs: 0, weightBytes: 0, bytesRead: 0, bytesWritten: 0 },
  ...{ s3Gets: 0, s3Puts: 0, expressGets: 0, expressPuts: 0 },
};
const MILLION = 1e6;
const { x86GbSecond: GB_SECOND, armGbSecond } = DEFAULT_PRICES.lambda;

function reported(billedMs: number, memoryMb: number, initMs?: number): LoggedReport {
  return { billedMs, memoryMb, ...(initMs !== undefined && { initMs }) };
}

const second = reported(1000, 1024);

it.each<[string, Partial<LoggedCall>, Partial<LineItems>, Partial<BillOptions>?]>([
  [
    'the billed duration times the memory, split by what the function did',
    { runMs: 500, loadMs: 100, report: reported(1000, 2048, 200) },
    {
      lambdaCompute: 0.5 * 2 * GB_SECOND,
      lambdaLoad: 0.3 * 2 * GB_SECOND,
      lambdaTransfer: 0.2 * 2 * GB_SECOND,
      lambdaRequests: 0.2 / MILLION,
    },
  ],
  [
    'the time of a warm-up as loading',
    { kind: 'warm-up', loadMs: 10, report: second },
    { lambdaLoad: GB_SECOND, lambdaTransfer: 0 },
  ],
  ['no load that a warm-up did', { warmedUp: true, loadMs: 900, report: second }, { lambdaLoad: 0 }],
  [
    'the requests that it made, by the price of their bucket',
    { s3Gets: 3, s3Puts: 1, expressGets: 2, expressPuts: 1 },
    { s3Gets: (3 * 0.4 + 2 * 0.03) / MILLION, s3Puts: (5 + 1.13) / MILLION },
  ],
  [
    'the price of the architecture',
    { runMs: 1000, report: second },
    { lambdaCompute: armGbSecond },
    { architecture: 'arm64' },
  ],
])('the bill of a call has %s', (_, call, expected, options = {}) => {
  const { items } = billOf([{ ...RAN, ...call }], [], { ...OPTIONS, ...options });
  for (const [item, dollars] of Object.entries(expected))
    expect(items[item as keyof LineItems]).toBeCloseTo(dollars, 12);
});

const calls: LoggedCall[] = [
  { ...RAN, startedAt: START, report: reported(300, 512) },
  { ...RAN, kind: 'warm-up', slice: 1, report: reported(900, 512) },
  { ...RAN, slice: 1, startedAt: START + 400, report: reported(100, 512) },
];

it('the bill of a run lasts from the start of its first call to the end of its last one', () => {
  const [run] = billOf(calls, [], OPTIONS).runs;
  expect(run).toMatchObject({ run: 'machine/a', ms: 500, ran: 2, warmUps: 1, failed: 0 });
});

it.each([
  // 64 MB for 500 ms, and half a unit of 100 ms.
  ['Express', 'express:machine:a:b', 1 / MILLION + 0.55 * (64 / 1024) * 0.00001667],
  // Two slices, a warm-up, the parallel state, the start and the end.
  ['Standard', 'execution:machine:a', (6 * 25) / MILLION],
])('the bill of a run of a %s machine has the price of its execution', (_, name, dollars) => {
  const executionArn = `arn:aws:states:us-east-1:111122223333:${name}`;
  const own = calls.map((call) => ({ ...call, executionArn }));
  expect(billOf(own, [], OPTIONS).runs[0].items.stepFunctions).toBeCloseTo(dollars, 12);
});

it('the bill of many runs tells runs and slices apart, and adds up to its total', () => {
  const milliseconds = fc.nat(900_000);
  const call: fc.Arbitrary<LoggedCall> = fc.record({
    kind: fc.constantFrom('ran', 'warm-up', 'failed'),
    run: fc.constantFrom('machine/a', 'machine/b', 'machine/c'),
    slice: fc.integer({ min: -1, max: 4 }),
    startedAt: fc.nat(1e6).map((ms) => START + ms),
    ...{ warmedUp: fc.boolean(), runMs: milliseconds, loadMs: milliseconds, weightBytes: fc.nat(2e9) },
    ...{ bytesRead: fc.nat(1e8), bytesWritten: fc.nat(1e8) },
    ...{ s3Gets: fc.nat(50), s3Puts: fc.nat(2), expressGets: fc.nat(50), expressPuts: fc.nat(2) },
    report: fc.tuple(milliseconds, fc.integer({ min: 128, max: 10_240 })).map(([ms, mb]) => reported(ms, mb)),
  });
  const report = milliseconds.map((ms) => reported(ms, 1024));
  fc.assert(
    fc.property(fc.array(call), fc.array(report), (calls, others) => {
      const { runs, slices, other, items, dollars } = billOf(calls, others, OPTIONS);
      const parts = [...runs.map((run) => run.items), other.items];
      expect(dollars).toBeCloseTo(sumOfItems(addItems(parts)), 9);
      const counted = runs.reduce((sum, { ran, warmUps, failed }) => sum + ran + warmUps + failed, 0);
      expect(counted).toBe(calls.length);
      const ofSlices = slices.reduce((sum, slice) => sum + slice.dollars, 0);
      expect(dollars).toBeCloseTo(ofSlices + items.stepFunctions + other.dollars, 9);
      for (const own of slices.flatMap((slice) => Object.values(slice.items)))
        expect(own).toBeGreaterThanOrEqual(0);
    }),
  );
});

it('the bill of many runs names calls without a report, and keeps those that no slice logged apart', () => {
  const { withoutReport, other } = billOf([RAN], [reported(1000, 1024)], OPTIONS);
  expect([withoutReport, other.calls]).toEqual([1, 1]);
  expect(other.dollars).toBeCloseTo(0.2 / MILLION + GB_SECOND, 12);
});
