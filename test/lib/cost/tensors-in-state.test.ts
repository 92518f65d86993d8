/** The price and the time of slices whose small tensors travel in the state of the execution. */
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/environment';
import { DEFAULT_PRICES } from '../../../lib/cost/constants/prices';
import type { InState } from '../../../lib/cost/chain';
import { costModel } from '../../../lib/cost/model';
import { type ScheduledStep, scheduleCost } from '../../../lib/cost/schedule';
import { CHOICE, DEMAND } from '../../support/cost-fixtures';

const SMALL = { ...DEMAND, readBytes: 8000, writeBytes: 8000 };
const ALL: InState = {
  isAnswered: true,
  readTensors: 1,
  readsAll: true,
  readBytes: 8000,
  characters: 16 * 1024,
};

describe('a slice whose tensors travel in the state', () => {
  const express = costModel();
  const inS3 = express.step(SMALL, CHOICE);
  const inState = express.step(SMALL, { ...CHOICE, inState: ALL });

  it('sends no requests to S3 and stores nothing there', () => {
    const { s3Puts, s3Gets, s3Bytes, tensorStorage } = inState.warmItems;
    expect([s3Puts, s3Gets, s3Bytes, tensorStorage]).toEqual([0, 0, 0, 0]);
    expect(inS3.warmItems.s3Puts + inS3.warmItems.s3Gets).toBeCloseTo(5.4e-6, 12);
  });

  it('opens no connection and waits for no object', () => {
    const { s3 } = DEFAULT_ENVIRONMENT;
    const connection = s3.standardFirstGetMs - 27;
    expect(inS3.warmMs - inState.warmMs).toBeGreaterThan(connection);
    expect(inState.warmItems.lambdaTransfer).toBeLessThan(inS3.warmItems.lambdaTransfer / 10);
  });

  it('waits longer for the state of a Standard machine, by its characters', () => {
    const standard = costModel({ stateMachineType: 'standard' });
    const step = (characters: number) =>
      standard.step(SMALL, { ...CHOICE, inState: { ...ALL, characters } }).warmMs;
    // Medians of 1 KiB, 16 KiB and 64 KiB: 160, 194 and 238 ms.
    expect(step(15 * 1024) - step(0)).toBeCloseTo(194 - 160, 9);
    expect(step(63 * 1024) - step(0)).toBeCloseTo(238 - 160, 9);
    expect(express.step(SMALL, { ...CHOICE, inState: { ...ALL, characters: 0 } }).warmMs).toBe(
      inState.warmMs,
    );
  });

  it('still reads what is not in the state from S3', () => {
    const some = { ...ALL, readsAll: false };
    const mixed = express.step({ ...SMALL, readTensors: 3, readBytes: 1e6 }, { ...CHOICE, inState: some });
    expect(mixed.warmItems.s3Gets).toBeCloseTo((2 * DEFAULT_PRICES.s3.standardGets) / 1e6, 12);
    expect(mixed.warmItems.s3Puts).toBe(0);
    expect(mixed.parts.readMs).toBeGreaterThan(DEFAULT_ENVIRONMENT.s3.standardFirstGetMs - 27);
  });
});

test('a run waits for a write and a read less for each slice that answers its tensors', () => {
  const fixed = (ms: number): readonly [readonly [number, number]] => [[50, ms]];
  const model = costModel({
    request: 'inline',
    result: 'inline',
    warmUp: false,
    environment: {
      ...DEFAULT_ENVIRONMENT,
      s3: { ...DEFAULT_ENVIRONMENT.s3, standardGet: fixed(20), standardPut: fixed(30) },
      stepFunctions: { ...DEFAULT_ENVIRONMENT.stepFunctions, express: fixed(15) },
    },
  });
  const cost = { warmDollars: 0, coldDollars: 0, warmMs: 100, loadMs: 0, coldMs: 100 };
  const step = (places: Omit<ScheduledStep, 'cost' | 'writesTo'>): ScheduledStep => ({
    cost,
    writesTo: 's3-standard',
    ...places,
  });
  const p50 = (steps: readonly ScheduledStep[]) =>
    scheduleCost(
      model,
      steps.map((_, slice) => ({ kind: 'slice', slice })),
      steps,
      'warm',
    ).latency.p50;
  const request = { readsFrom: 'request' } as const;
  const store = { readsFrom: 's3-standard' } as const;
  const unread = { ...ALL, readTensors: 0, readsAll: false };

  expect(p50([step(request), step(store)])).toBeCloseTo(2 * 100 + 2 * 15 + 2 * 30 + 20, 9);
  expect(
    p50([step({ ...request, inState: unread }), step({ ...store, inState: { ...ALL, isAnswered: false } })]),
  ).toBeCloseTo(2 * 100 + 2 * 15 + 30, 9);
});
