import { formatDuration } from '../../../bin/terminal/format';

describe('a time', () => {
  it.each([
    [1, '1 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [1500, '1.5 s'],
    [90_000, '90 s'],
    [60_000, '1 min'],
    [600_000, '10 min'],
    [600_001, '600.001 s'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
