import { draw } from '../../local/seeded-random';

test('numbers fill each tenth from 0 to below 1 equally, for texts that hardly differ', () => {
  const tenths = Array<number>(10).fill(0);
  for (let index = 0; index < 20_000; index++) {
    tenths[Math.floor(draw(`7 run-${index >> 3} PUT bucket/key ${index & 7}`) * 10)]++;
  }
  for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  expect(tenths).toHaveLength(10);
});
