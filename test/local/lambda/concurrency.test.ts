import { Concurrency } from '../../../local/lambda/concurrency';

const reserving = { arn: 'reserving', reservedConcurrency: 2 };
const other = { arn: 'other', reservedConcurrency: undefined };

function reasonOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as { reason?: string }).reason;
  }
  return undefined;
}

describe('of a concurrency of 102, of which a function has reserved two', () => {
  function account(): Concurrency {
    const concurrency = new Concurrency(102);
    concurrency.prepare([reserving, other])();
    return concurrency;
  }

  test('the function gets two', () => {
    const concurrency = account();
    const leave = [concurrency.enter(reserving), concurrency.enter(reserving)];
    expect(reasonOf(() => concurrency.enter(reserving))).toBe(
      'ReservedFunctionConcurrentInvocationLimitExceeded',
    );
    leave[0]();
    expect(reasonOf(() => concurrency.enter(reserving))).toBeUndefined();
  });

  test('the others share a hundred', () => {
    const concurrency = account();
    const leave = Array.from({ length: 100 }, () => concurrency.enter(other));
    expect(reasonOf(() => concurrency.enter({ ...other, arn: 'third' }))).toBe(
      'ConcurrentInvocationLimitExceeded',
    );
    expect(reasonOf(() => concurrency.enter(reserving))).toBeUndefined();
    leave[0]();
    expect(reasonOf(() => concurrency.enter(other))).toBeUndefined();
  });

  test('the next deployment gives back what it does not reserve', () => {
    const concurrency = account();
    concurrency.prepare([other])();
    for (let i = 0; i < 102; i++) concurrency.enter(other);
    expect(reasonOf(() => concurrency.enter(other))).toBe('ConcurrentInvocationLimitExceeded');
  });
});

test('a reservation of zero switches a function off', () => {
  const concurrency = new Concurrency(10);
  const off = { arn: 'off', reservedConcurrency: 0 };
  concurrency.prepare([off])();
  expect(reasonOf(() => concurrency.enter(off))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
});

test.each([0, -1, 1.5, NaN])('a concurrency of %s is refused', (limit) => {
  expect(() => new Concurrency(limit)).toThrow(`must be a positive integer, got ${limit}`);
});
