import * as fc from 'fast-check';
import type { InState, StepChoice, Temperature } from '../../../lib/cost/chain';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { sumOfItems } from '../../../lib/cost/step';
import { costModel } from '../../../lib/cost/model';
import type { CostOptions } from '../../../lib/cost/options';
import { costOf } from '../../../lib/cost/schedule';
import { CHOICE, DEMAND, chainOf, itemsOfChain, outcomesOf } from '../../support/cost-fixtures';

const TEMPERATURES: Temperature[] = ['warm', 'cold', 'mixed'];
const temperatures = fc.constantFrom(...TEMPERATURES);

const options = fc.record({
  stateMachineType: fc.constantFrom('express' as const, 'standard' as const),
  architecture: fc.constantFrom('x86_64' as const, 'arm64' as const),
  warmUp: fc.boolean(),
  requestsPerHour: fc.integer({ min: 0, max: 100 }),
  networkInVpc: fc.boolean(),
  request: fc.constantFrom('inline' as const, 's3' as const),
  result: fc.constantFrom('inline' as const, 's3' as const),
});

it('the items of a run add up to its dollars', () => {
  fc.assert(
    fc.property(options, fc.integer({ min: 1, max: 6 }), temperatures, (given, n, temperature) => {
      const model = costModel(given);
      const slices = chainOf(n, {}, { writesTo: 's3-express' });
      const { dollars } = costOf(outcomesOf(model, slices), model.coldShare, temperature);
      expect(sumOfItems(itemsOfChain(model, slices, temperature))).toBeCloseTo(dollars, 14);
    }),
    { numRuns: 50 },
  );
});

it('the items of a run include the prices of requests as AWS lists them', () => {
  const items = itemsOfChain(costModel({ request: 'inline' }), chainOf(4), 'warm');
  expect(items.s3Puts * 1e6).toBeCloseTo(20, 9);
  // Three slices read; three are warmed up.
  expect(items.s3Gets * 1e6).toBeCloseTo(1.2, 9);
  expect(items.lambdaRequests * 1e6).toBeCloseTo(7 * 0.2, 9);
});

describe('a million calls', () => {
  const RESULT: Partial<StepChoice> = { writesResult: true };
  const REQUEST: Partial<StepChoice> = { readsFrom: 'request' };

  // 0.5 MiB are 1 / 2,048 GB, at $0.023 a month and so $0.00075616 a day: $0.36922 for a million.
  it.each<[tensors: string, Partial<StepChoice>, CostOptions, days: number]>([
    ['between slices for a day', {}, {}, 1],
    ['between slices as long as the pipeline keeps them', {}, { intermediateRetentionDays: 3 }, 3],
    ['of a result for a week', RESULT, {}, 7],
    ['of a result as long as the pipeline keeps them', RESULT, { outputRetentionDays: 30 }, 30],
    ['of a request for a week, besides what its slice writes', REQUEST, {}, 7 + 1],
    ['of an inline request never', REQUEST, { request: 'inline' }, 1],
  ])('store tensors %s', (_, choice, given, days) => {
    const { tensorStorage } = costModel(given).step(DEMAND, { ...CHOICE, ...choice }).warmItems;
    expect(tensorStorage * 1e6).toBeCloseTo(0.36922 * days, 3);
  });

  it.each<[what: string, Partial<StepChoice>, CostOptions, puts: number, gets: number]>([
    ['a request and a result in S3', { ...REQUEST, ...RESULT }, {}, 5, 0.4],
    ['an inline request', REQUEST, { request: 'inline' }, 0, 0],
    ['an inline result', RESULT, { result: 'inline' }, 0, 0],
    ['tensors between slices', {}, {}, 0, 0],
  ])('cost the caller of %s its own requests to S3', (_, choice, given, puts, gets) => {
    const { callerPuts, callerGets } = costModel(given).step(DEMAND, { ...CHOICE, ...choice }).warmItems;
    expect(callerPuts * 1e6).toBeCloseTo(puts, 9);
    expect(callerGets * 1e6).toBeCloseTo(gets, 9);
  });

  it.each<[what: string, Partial<StepChoice>, warm: number, cold: number]>([
    // 1,000 bytes, and 200 more of a new sandbox, at $0.50 for 2^30.
    ['of the first slice', REQUEST, 0.46566, 0.55879],
    ['of a slice that is warmed up, by a second call of 800 bytes', {}, 0.83819, 0.93132],
  ])('pay for the log lines %s', (_, choice, warm, cold) => {
    const logs = { callBytes: 300, lineBytes: 700, warmUpBytes: 500, startBytes: 200 };
    const environment = { ...DEFAULT_ENVIRONMENT, logs };
    const { warmItems, coldItems } = costModel({ environment }).step(DEMAND, { ...CHOICE, ...choice });
    expect([warmItems, coldItems].map((items) => Number((items.logs * 1e6).toFixed(5)))).toEqual([
      warm,
      cold,
    ]);
  });
});

describe('a step', () => {
  const model = costModel();
  const usual = model.step(DEMAND, CHOICE);

  it.each([
    ['fileBytes', 400e6],
    ['coreSeconds', 1],
    ['gets', 9],
    ['readBytes', 9e6],
    ['writeBytes', 9e6],
  ])('grows with its %s', (field, more) => {
    const large = model.step({ ...DEMAND, [field]: more }, CHOICE);
    expect(large.coldDollars).toBeGreaterThan(usual.coldDollars);
    expect(large.coldMs + large.loadMs).toBeGreaterThan(usual.coldMs + usual.loadMs);
    expect(large.warmMs).toBeGreaterThanOrEqual(usual.warmMs);
  });

  it.each([
    ['s3', 3],
    ['inline', 2],
  ] as const)('reads objects of slices, and the request only if that is in S3: %s', (request, gets) => {
    const { s3Gets } = costModel({ request }).step({ ...DEMAND, gets: 2, requestGets: 1 }, CHOICE).warmItems;
    expect(s3Gets * 1e6).toBeCloseTo(0.4 * gets, 9);
  });

  it('has cheaper requests through S3 Express, which charges for bytes', () => {
    const express = model.step(DEMAND, { ...CHOICE, readsFrom: 's3-express', writesTo: 's3-express' });
    expect(express.warmItems.s3Puts).toBeLessThan(usual.warmItems.s3Puts);
    expect(express.warmItems.s3Bytes).toBeCloseTo((524_288 * 0.0032 + 524_288 * 0.0006) / 2 ** 30, 15);
  });
});

const ALL: InState = {
  ...{ isAnswered: true, gets: 1, readsAll: true, readBytes: 8000 },
  characters: 16 * 1024,
};
const small = { ...DEMAND, readBytes: 8000, writeBytes: 8000 };
const express = costModel();
const inS3 = express.step(small, CHOICE);
const inState = express.step(small, { ...CHOICE, inState: ALL });

it('a slice whose tensors travel in the state sends no requests to S3, stores nothing there, opens no connection and waits for no object', () => {
  const { s3Puts, s3Gets, s3Bytes, tensorStorage, lambdaTransfer } = inState.warmItems;
  expect([s3Puts, s3Gets, s3Bytes, tensorStorage]).toEqual([0, 0, 0, 0]);
  expect(inS3.warmItems.s3Puts + inS3.warmItems.s3Gets).toBeCloseTo(5.4e-6, 12);
  expect(inS3.warmMs - inState.warmMs).toBeGreaterThan(DEFAULT_ENVIRONMENT.s3.standardFirstGetMs - 27);
  expect(lambdaTransfer).toBeLessThan(inS3.warmItems.lambdaTransfer / 10);
});
