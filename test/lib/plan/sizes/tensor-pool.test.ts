/** Where tensors get their memory from. Steps are written as `+1:2` to allocate tensor 1 of 2 MiB, `-1` to release it, `~3` to borrow. */
import * as fc from 'fast-check';
import { Arena, ArenaPool, HeirFinder } from '../../../../lib/plan/sizes/arena';

const MIB = 2 ** 20;

test.each<[what: string, classes: number[], steps: string, heirs: number[]]>([
  ['goes to the next tensor of the same size', [0, 1, 0], '+0 -0 +1 +2', [2, -1, -1]],
  ['goes to no tensor of an unknown size', [-1, -1], '+0 -0 +1', [-1, -1]],
  ['is taken over from the latest tensor first', [0, 0, 0, 0], '+0 +1 -0 -1 +2 +3', [3, 2, -1, -1]],
  ['has no heir before it is released', [0, 0], '+0 +1', [-1, -1]],
])('the memory of a tensor that is no longer needed %s', (_, classes, steps, heirs) => {
  const finder = new HeirFinder(Int32Array.from(classes));
  for (const step of steps.split(' ')) {
    if (step.startsWith('+')) finder.allocate(Number(step.slice(1)));
    else finder.release(Number(step.slice(1)));
  }
  expect([...finder.heirs]).toEqual(heirs);
});

test('there are heirs in a chain of 200,000 tensors', () => {
  const finder = new HeirFinder(new Int32Array(200_000));
  for (let value = 0; value < 200_000; value++) {
    finder.allocate(value);
    finder.release(value);
  }
  expect(finder.heirs.slice(0, 3)).toEqual(Int32Array.of(1, 2, 3));
  expect(finder.heirs.at(-1)).toBe(-1);
});

test.each<[what: string, heirs: number[], steps: string, mib: number]>([
  ['touches no more than a tensor needs, although its regions are larger', [], '+0:5', 5],
  ['keeps released memory for the heir', [2, -1, -1], '+0:1 -0 +1:1', 2],
  ['gives the heir that memory', [2, -1, -1], '+0:1 -0 +1:1 +2:1', 2],
  ['gives released memory without an heir to any tensor that fits', [], '+0:5 -0 +1:4', 5],
  ['cannot place a tensor in gaps that are too small', [], '+0:1 +1:1 +2:1 +3:1 -0 -2 +4:2', 6],
  ['joins neighboring gaps', [], '+0:8 -0 +1:2 +2:2 -1 -2 +3:8', 8],
  ['adds up tensors below 16 KiB while they live', [], '+0:0.002 +1:0.004 -0 +2:0.001', 0.006],
  ['lends temporary buffers, whose memory later tensors take', [], '+0:1 ~3 +1:3', 4],
])('the pool %s', (_, heirs, steps, mib) => {
  const pool = new ArenaPool(Int32Array.from({ length: 8 }, (__, value) => heirs[value] ?? -1));
  const sizes = new Map<number, number>();
  for (const step of steps.split(' ')) {
    const [value, size] = step.slice(1).split(':').map(Number);
    if (step.startsWith('~')) pool.borrow(value * MIB);
    else if (step.startsWith('-')) pool.release(value, sizes.get(value) ?? 0);
    else {
      sizes.set(value, size * MIB);
      pool.allocate(value, size * MIB);
    }
  }
  expect(pool.peakBytes / MIB).toBeCloseTo(mib, 9);
});

/** Tensors, each of which may be followed by the release of one. */
const steps = fc.array(
  fc.record({ bytes: fc.integer({ min: 1, max: 8 * MIB }), release: fc.option(fc.nat()) }),
  { maxLength: 40 },
);

test('neither the arena nor the pool holds less than the tensors that live at one time, or more than all of them', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const pool = new ArenaPool(new Int32Array(all.length).fill(-1));
      const arena = new Arena();
      const live: { value: number; chunk: number; bytes: number }[] = [];
      let [most, sum] = [0, 0];
      all.forEach(({ bytes, release }, value) => {
        pool.allocate(value, bytes);
        live.push({ value, chunk: arena.allocate(bytes), bytes });
        expect(new Set(live.map(({ chunk }) => chunk)).size).toBe(live.length);
        // Sizes in the arena are multiples of 256.
        sum += bytes + 256;
        most = Math.max(
          most,
          live.reduce((total, tensor) => total + tensor.bytes, 0),
        );
        if (release === null) return;
        const [released] = live.splice(release % live.length, 1);
        pool.release(released.value, released.bytes);
        arena.release(released.chunk);
      });
      for (const held of [pool.peakBytes, arena.touchedBytes]) {
        expect(held).toBeGreaterThanOrEqual(most);
        expect(held).toBeLessThanOrEqual(sum);
      }
    }),
  );
});
