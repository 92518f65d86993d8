import fc from 'fast-check';
import { billOf, type BillOptions } from '../../../lib/cost/bill';
import type { LoggedCall, LoggedReport } from '../../../lib/cost/logged-call';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/environment';
import { DEFAULT_PRICES } from '../../../lib/cost/constants/prices';
import { addItems, sumOfItems } from '../../../lib/cost/line-items';

const OPTIONS: BillOptions = {
  architecture: 'x86_64',
  prices: DEFAULT_PRICES,
  environment: DEFAULT_ENVIRONMENT,
  retentionDays: 1,
};
const NOTHING = {
  ...{ cold: false, warmedUp: false, readMs: 0, writeMs: 0 },
  ...{ runMs: 0, loadMs: 0, weightBytes: 0, bytesRead: 0, bytesWritten: 0 },
  ...{ s3Gets: 0, s3Puts: 0, expressGets: 0, expressPuts: 0 },
};
const START = Date.UTC(2026, 10, 26);
const RAN: LoggedCall = { kind: 'ran', run: 'machine/a', slice: 0, ...NOTHING };
const MILLION = 1e6;

function reported(billedMs: number, memoryMb: number, initMs?: number): LoggedReport {
  return { durationMs: billedMs, billedMs, memoryMb, failed: false, ...(initMs !== undefined && { initMs }) };
}

describe('the bill of a call', () => {
  it('has the billed duration times the memory, split by what the function did', () => {
    const report = reported(1000, 2048, 200);
    const { items } = billOf([{ ...RAN, runMs: 500, loadMs: 100, report }], [], OPTIONS);
    const rate = 2 * DEFAULT_PRICES.lambda.x86GbSecond;
    expect(items.lambdaCompute).toBeCloseTo(0.5 * rate, 12);
    expect(items.lambdaLoad).toBeCloseTo(0.3 * rate, 12);
    expect(items.lambdaTransfer).toBeCloseTo(0.2 * rate, 12);
    expect(items.lambdaRequests).toBeCloseTo(0.2 / MILLION, 12);
  });

  it('counts the time of a warm-up as loading', () => {
    const report = reported(1000, 1024);
    const { items } = billOf([{ ...RAN, kind: 'warm-up', loadMs: 10, report }], [], OPTIONS);
    expect(items.lambdaLoad).toBeCloseTo(DEFAULT_PRICES.lambda.x86GbSecond, 12);
    expect(items.lambdaTransfer).toBe(0);
  });

  it('leaves a load to the warm-up that did it', () => {
    const call = { ...RAN, warmedUp: true, loadMs: 900, report: reported(1000, 1024) };
    expect(billOf([call], [], OPTIONS).items.lambdaLoad).toBe(0);
  });

  it('has the requests that it made, by the price of their bucket', () => {
    const requests = { s3Gets: 3, s3Puts: 1, expressGets: 2, expressPuts: 1 };
    const { items } = billOf([{ ...RAN, ...requests }], [], OPTIONS);
    expect(items.s3Gets).toBeCloseTo((3 * 0.4 + 2 * 0.03) / MILLION, 12);
    expect(items.s3Puts).toBeCloseTo((5 + 1.13) / MILLION, 12);
  });

  it('has the price of the architecture', () => {
    const call = { ...RAN, runMs: 1000, report: reported(1000, 1024) };
    const { items } = billOf([call], [], { ...OPTIONS, architecture: 'arm64' });
    expect(items.lambdaCompute).toBeCloseTo(DEFAULT_PRICES.lambda.armGbSecond, 12);
  });
});

describe('the bill of a run', () => {
  const calls: LoggedCall[] = [
    { ...RAN, startedAt: START, report: reported(300, 512) },
    { ...RAN, kind: 'warm-up', slice: 1, report: reported(900, 512) },
    { ...RAN, slice: 1, startedAt: START + 400, report: reported(100, 512) },
  ];

  it('lasts from the start of its first call to the end of its last one', () => {
    const [run] = billOf(calls, [], OPTIONS).runs;
    expect(run).toMatchObject({ run: 'machine/a', ms: 500, ran: 2, warmUps: 1, failed: 0 });
  });

  it('has an Express execution by its time, and a Standard one by its transitions', () => {
    const arn = 'arn:aws:states:us-east-1:111122223333';
    const billed = (executionArn: string) =>
      billOf(
        calls.map((call) => ({ ...call, executionArn })),
        [],
        OPTIONS,
      ).runs[0].items.stepFunctions;
    // 64 MB for 500 ms, and half a unit of 100 ms.
    expect(billed(`${arn}:express:machine:a:b`)).toBeCloseTo(
      1 / MILLION + 0.55 * (64 / 1024) * 0.00001667,
      12,
    );
    // Two slices, a warm-up, the parallel state, the start and the end.
    expect(billed(`${arn}:execution:machine:a`)).toBeCloseTo((6 * 25) / MILLION, 12);
  });
});

describe('the bill of many runs', () => {
  it('tells runs and slices apart, and adds up to its total', () => {
    const milliseconds = fc.nat(900_000);
    const call: fc.Arbitrary<LoggedCall> = fc.record({
      kind: fc.constantFrom('ran', 'warm-up', 'failed'),
      run: fc.constantFrom('machine/a', 'machine/b', 'machine/c'),
      slice: fc.integer({ min: -1, max: 4 }),
      startedAt: fc.nat(1e6).map((ms) => START + ms),
      ...{ cold: fc.boolean(), warmedUp: fc.boolean(), readMs: milliseconds, writeMs: milliseconds },
      ...{ runMs: milliseconds, loadMs: milliseconds, weightBytes: fc.nat(2e9) },
      ...{ bytesRead: fc.nat(1e8), bytesWritten: fc.nat(1e8) },
      ...{ s3Gets: fc.nat(50), s3Puts: fc.nat(2), expressGets: fc.nat(50), expressPuts: fc.nat(2) },
      report: fc
        .tuple(milliseconds, fc.integer({ min: 128, max: 10_240 }))
        .map(([ms, mb]) => reported(ms, mb)),
    });
    const report = milliseconds.map((ms) => reported(ms, 1024));
    fc.assert(
      fc.property(fc.array(call), fc.array(report), (calls, others) => {
        const bill = billOf(calls, others, OPTIONS);
        const parts = [...bill.runs.map(({ items }) => items), bill.other.items];
        expect(bill.dollars).toBeCloseTo(sumOfItems(addItems(parts)), 9);
        expect(bill.runs.reduce((sum, { ran, warmUps, failed }) => sum + ran + warmUps + failed, 0)).toBe(
          calls.length,
        );
        const ofSlices = bill.slices.reduce((sum, { dollars }) => sum + dollars, 0);
        const stepFunctions = bill.items.stepFunctions;
        expect(bill.dollars).toBeCloseTo(ofSlices + stepFunctions + bill.other.dollars, 9);
        for (const { items } of bill.slices)
          for (const dollars of Object.values(items)) expect(dollars).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('names calls without a report, and keeps those that no slice logged apart', () => {
    const bill = billOf([RAN], [reported(1000, 1024)], OPTIONS);
    expect(bill.withoutReport).toBe(1);
    expect(bill.other).toMatchObject({ calls: 1 });
    expect(bill.other.dollars).toBeCloseTo(0.2 / MILLION + DEFAULT_PRICES.lambda.x86GbSecond, 12);
  });
});
