import { largestOf, smallestOf } from '../../lib/extremes';

const MANY = 200_000;

test('the extremes of a list are those of 200,000 numbers', () => {
  const numbers = Array.from({ length: MANY }, (_, index) => (index * 7) % MANY);
  expect(largestOf(numbers)).toBe(MANY - 1);
  expect(smallestOf(numbers)).toBe(0);
});
