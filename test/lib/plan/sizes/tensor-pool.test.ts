import * as fc from 'fast-check';
import { ArenaPool, HeirFinder } from '../../../../lib/plan/sizes/tensor-pool';

const MIB = 2 ** 20;
const NO_HEIRS = new Int32Array(16).fill(-1);

describe('the memory of a tensor that is no longer needed', () => {
  it('goes to the next tensor of the same size', () => {
    const finder = new HeirFinder(Int32Array.of(0, 1, 0));
    finder.allocate(0);
    finder.release(0);
    finder.allocate(1);
    finder.allocate(2);
    expect([...finder.heirs]).toEqual([2, -1, -1]);
  });

  it('goes to no tensor of an unknown size', () => {
    const finder = new HeirFinder(Int32Array.of(-1, -1));
    finder.allocate(0);
    finder.release(0);
    finder.allocate(1);
    expect([...finder.heirs]).toEqual([-1, -1]);
  });

  it('is taken over from the latest tensor first', () => {
    const finder = new HeirFinder(new Int32Array(4));
    for (const value of [0, 1]) finder.allocate(value);
    for (const value of [0, 1]) finder.release(value);
    for (const value of [2, 3]) finder.allocate(value);
    expect([...finder.heirs]).toEqual([3, 2, -1, -1]);
  });

  it('has no heir before it is released', () => {
    const finder = new HeirFinder(new Int32Array(2));
    finder.allocate(0);
    finder.allocate(1);
    expect([...finder.heirs]).toEqual([-1, -1]);
  });

  it('has heirs in a chain of 200,000 tensors', () => {
    const finder = new HeirFinder(new Int32Array(200_000));
    for (let value = 0; value < 200_000; value++) {
      finder.allocate(value);
      finder.release(value);
    }
    expect(finder.heirs.slice(0, 3)).toEqual(Int32Array.of(1, 2, 3));
    expect(finder.heirs.at(-1)).toBe(-1);
  });
});

describe('the pool of the arena', () => {
  it('keeps released memory for the heir', () => {
    const pool = new ArenaPool(Int32Array.of(2, -1, -1));
    pool.allocate(0, MIB);
    pool.release(0, MIB);
    pool.allocate(1, MIB);
    expect(pool.peakBytes).toBe(2 * MIB);
    pool.allocate(2, MIB);
    expect(pool.peakBytes).toBe(2 * MIB);
  });

  it('gives released memory without an heir to any tensor that fits', () => {
    const pool = new ArenaPool(NO_HEIRS);
    pool.allocate(0, 2 * MIB);
    pool.release(0, 2 * MIB);
    pool.allocate(1, MIB);
    expect(pool.peakBytes).toBe(2 * MIB);
  });

  it('adds up tensors below 16 KiB while they live', () => {
    const pool = new ArenaPool(NO_HEIRS);
    pool.allocate(0, 1000);
    pool.allocate(1, 2000);
    pool.release(0, 1000);
    pool.allocate(2, 500);
    expect(pool.peakBytes).toBe(3000);
  });

  it('lends temporary buffers, whose memory later tensors take', () => {
    const pool = new ArenaPool(NO_HEIRS);
    pool.allocate(0, MIB);
    pool.borrow(3 * MIB);
    expect(pool.peakBytes).toBe(4 * MIB);
    pool.allocate(1, 3 * MIB);
    expect(pool.peakBytes).toBe(4 * MIB);
  });

  it('never holds less than the tensors that live at one time, and never more than all of them', () => {
    const steps = fc.array(
      fc.record({ bytes: fc.integer({ min: 1, max: 4 * MIB }), release: fc.option(fc.nat()) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const pool = new ArenaPool(new Int32Array(all.length).fill(-1));
        const live: { value: number; bytes: number }[] = [];
        let [most, sum] = [0, 0];
        all.forEach(({ bytes, release }, value) => {
          pool.allocate(value, bytes);
          live.push({ value, bytes });
          // Sizes in the arena are multiples of 256.
          sum += bytes + 256;
          most = Math.max(
            most,
            live.reduce((total, tensor) => total + tensor.bytes, 0),
          );
          if (release === null) return;
          const [released] = live.splice(release % live.length, 1);
          pool.release(released.value, released.bytes);
        });
        expect(pool.peakBytes).toBeGreaterThanOrEqual(most);
        expect(pool.peakBytes).toBeLessThanOrEqual(sum);
      }),
    );
  });
});
