import { RateLimit } from '../../../local/simulation/rate-limit';

const MB_PER_SECOND = 1e6;

test('bytes take their time, one after the other', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  limit.reserve(20_000, 100);
  // What the first one may catch up on, it has.
  expect(limit.reserve(5_000, 100)).toBe(105);
  expect(limit.reserve(5_000, 100)).toBe(110);
});

test('a timer that came a little late costs no bandwidth, an idle time is not saved up', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  expect(limit.reserve(25_000, 0)).toBe(5);
  // Two milliseconds late.
  expect(limit.reserve(10_000, 7)).toBe(15);
  expect(limit.reserve(30_000, 1000)).toBe(1010);
});

test('all who share it together keep to it', () => {
  const limit = new RateLimit(MB_PER_SECOND);
  const through = Array.from({ length: 100 }, () => limit.reserve(10_000, 0));
  expect(Math.max(...through)).toBe(1000 - 20);
});
