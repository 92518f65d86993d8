import { Concurrency } from '../../../local/lambda/concurrency';

const reserving = { arn: 'reserving', reservedConcurrency: 2 };
const other = { arn: 'other', reservedConcurrency: undefined };
const third = { arn: 'third', reservedConcurrency: undefined };

/** An account's concurrency of 102 after deployments with these functions. */
function account(...deployments: (typeof reserving | typeof other)[][]): Concurrency {
  const concurrency = new Concurrency(102);
  for (const functions of deployments) concurrency.prepare(functions)();
  return concurrency;
}

test.each([
  ['what it has reserved', [[reserving, other]], [reserving], 2, other],
  ['what the others leave', [[reserving, other]], [other, third], 100, reserving],
  ['what a later deployment gives back', [[reserving], [other]], [other], 102, undefined],
  [
    'nothing if it has reserved zero',
    [[{ arn: 'off', reservedConcurrency: 0 }]],
    [{ arn: 'off', reservedConcurrency: 0 }],
    0,
    other,
  ],
])('a function gets %s', (_, deployments, functions, expected, free) => {
  const concurrency = account(...deployments);
  const enter = (at = 0) => concurrency.enter(functions[at % functions.length]);
  const leave = Array.from({ length: expected }, (__, at) => enter(at));
  expect(enter).toThrow('Rate Exceeded.');
  if (free !== undefined) concurrency.enter(free);
  leave[0]?.();
  if (expected > 0) enter(0);
  expect(enter).toThrow('Rate Exceeded.');
});

test.each([0, -1, 1.5, NaN])('a concurrency of %s is refused', (limit) => {
  expect(() => new Concurrency(limit)).toThrow(`must be a positive integer, got ${limit}`);
});
