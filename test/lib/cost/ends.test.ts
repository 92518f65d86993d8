import { parseConstants } from '../../../lib/cost/constants/constants-file';
import { DEFAULT_ENVIRONMENT, ENVIRONMENT, environmentOf } from '../../../lib/cost/constants/defaults';
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

it.each([
  [150, undefined, [150, 150]],
  // The value is ours, and exact.
  [200, undefined, [200, 200]],
  [200, [0.9, 1.5], [180, 300]],
  [150, [1, 1], [150, 150]],
])('the constant %d of a user with the spread %j has the ends %j', (value, spread, ends) => {
  const lambda = { placementMs: { value, unit: 'ms', spread } };
  const text = JSON.stringify({ version: 1, environment: { lambda } });
  const own = environmentOf(parseConstants(text, 'e.json', 'environment', ENVIRONMENT));
  const [low, high] = (['fast', 'slow'] as const).map((end) => environmentAt(own, end).lambda);
  expect([low.placementMs, high.placementMs]).toEqual(ends);
  expect(high.runtimeLoadMs).toBe(2 * DEFAULT_ENVIRONMENT.lambda.runtimeLoadMs);
});

it('an end is exact', () => {
  expect(environmentAt(slow, 'slow')).toEqual(slow);
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
