import { draw } from '../../local/seeded-random';

const drawn = Array.from({ length: 20_000 }, (_, index) =>
  draw(`7 run-${index >> 3} PUT bucket/key ${index & 7}`),
);

describe('draw', () => {
  it('returns the same number for the same text', () => {
    expect(draw('13 run GET bucket/key 0')).toBe(draw('13 run GET bucket/key 0'));
  });

  it('returns numbers from 0 to below 1', () => {
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
  });

  it('fills each tenth of that range equally, for texts that hardly differ', () => {
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => drawn.filter((number) => Math.floor(number * 10) === tenth).length,
    );
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});
