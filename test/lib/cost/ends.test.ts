import { DEFAULT_ENVIRONMENT, ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { environmentAt } from '../../../lib/cost/constants/ends';
import { costModel } from '../../../lib/cost/model';
import { chainOf, outcomesOf } from '../../support/cost-fixtures';

const [fast, slow] = (['fast', 'slow'] as const).map((end) => environmentAt(DEFAULT_ENVIRONMENT, end));

it('what is believed or fitted has a spread', () => {
  const without = Object.entries({ ...ENVIRONMENT }).flatMap(([group, constants]) =>
    Object.entries({ ...constants })
      .filter(([, { known, spread }]) => (known === 'believed' || known === 'fitted') && spread === undefined)
      .map(([name]) => `${group}.${name}`),
  );
  expect(without).toEqual([]);
});

it('the ends multiply numbers, and the second numbers of pairs', () => {
  expect([fast, slow].map(({ lambda }) => lambda.placementMs)).toEqual([100, 400]);
  expect([fast, slow].map(({ stepFunctions }) => stepFunctions.express[1])).toEqual([
    [50, 10],
    [50, 40],
  ]);
  expect([fast, slow].map(({ s3 }) => s3.standardGet)).toEqual(
    Array(2).fill(DEFAULT_ENVIRONMENT.s3.standardGet),
  );
});

it('a constant that a user replaced stays as it is', () => {
  const { lambda } = DEFAULT_ENVIRONMENT;
  const own = { ...DEFAULT_ENVIRONMENT, lambda: { ...lambda, placementMs: 150 } };
  expect(environmentAt(own, 'slow').lambda.placementMs).toBe(150);
  expect(environmentAt(own, 'slow').lambda.runtimeLoadMs).toBe(2 * lambda.runtimeLoadMs);
});

it.each(['express', 'standard'] as const)('a run of %s is between its ends', (stateMachineType) => {
  const runOf = (environment = DEFAULT_ENVIRONMENT) => {
    const { warm, cold } = outcomesOf(
      costModel({ stateMachineType, environment }),
      chainOf(3, { coreSeconds: 0.1 }, { memoryMb: 1769 }),
    );
    return [warm, cold].flatMap(({ dollars, time }) => [dollars, time.mean]);
  };
  const [least, middle, most] = [runOf(fast), runOf(), runOf(slow)];
  middle.forEach((value, index) => {
    expect(least[index]).toBeLessThanOrEqual(value);
    expect(most[index]).toBeGreaterThanOrEqual(value);
    expect(most[index]).toBeGreaterThan(least[index]);
  });
});
