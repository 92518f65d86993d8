import * as fc from 'fast-check';
import { Arena } from '../../../../lib/plan/sizes/arena';

const MIB = 2 ** 20;

describe('the arena', () => {
  test('touches no more than a tensor needs, although its regions are larger', () => {
    const arena = new Arena();
    arena.allocate(5 * MIB);
    expect(arena.touchedBytes).toBe(5 * MIB);
  });

  test('takes released memory first', () => {
    const arena = new Arena();
    arena.release(arena.allocate(5 * MIB));
    arena.allocate(4 * MIB);
    expect(arena.touchedBytes).toBe(5 * MIB);
  });

  test('cannot place a tensor in gaps that are too small', () => {
    const arena = new Arena();
    const chunks = [1, 2, 3, 4].map(() => arena.allocate(MIB));
    arena.release(chunks[0]);
    arena.release(chunks[2]);
    arena.allocate(2 * MIB);
    expect(arena.touchedBytes).toBe(6 * MIB);
  });

  test('joins neighboring gaps', () => {
    const arena = new Arena();
    arena.release(arena.allocate(8 * MIB));
    const chunks = [1, 2].map(() => arena.allocate(2 * MIB));
    chunks.forEach((chunk) => {
      arena.release(chunk);
    });
    arena.allocate(8 * MIB);
    expect(arena.touchedBytes).toBe(8 * MIB);
  });

  test('touches at least what is in use at one time, and at most what was ever requested', () => {
    const steps = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 8 * MIB }), release: fc.nat() }));
    fc.assert(
      fc.property(steps, (all) => {
        const arena = new Arena();
        const used: { chunk: number; bytes: number }[] = [];
        let [inUse, most, requested] = [0, 0, 0];
        for (const { bytes, release } of all) {
          used.push({ chunk: arena.allocate(bytes), bytes });
          inUse += bytes;
          requested += bytes + 256;
          most = Math.max(most, inUse);
          expect(new Set(used.map(({ chunk }) => chunk)).size).toBe(used.length);
          if (release % 2 === 0) continue;
          const [released] = used.splice(release % used.length, 1);
          arena.release(released.chunk);
          inUse -= released.bytes;
        }
        expect(arena.touchedBytes).toBeGreaterThanOrEqual(most);
        expect(arena.touchedBytes).toBeLessThanOrEqual(requested);
      }),
    );
  });
});
