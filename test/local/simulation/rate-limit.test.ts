import { RateLimit } from '../../../local/simulation/rate-limit';

const MB_PER_SECOND = 1e6;

test('bytes pass one after the other at the given rate', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  expect(limit.reserve(20_000, 100)).toBe(120);
  expect(limit.reserve(5_000, 100)).toBe(125);
  expect(limit.reserve(5_000, 110)).toBe(130);
});

test('a slightly late timer costs no bandwidth, and idle time is not saved up', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  expect(limit.reserve(25_000, 0)).toBe(25);
  // Two milliseconds late.
  expect(limit.reserve(10_000, 27)).toBe(35);
  expect(limit.reserve(30_000, 1000)).toBe(1030);
});

test('all senders together keep the limit', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  const through = Array.from({ length: 100 }, () => limit.reserve(10_000, 0));
  expect(Math.max(...through)).toBe(1000);
});
