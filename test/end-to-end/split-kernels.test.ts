/** The table of exact splits, by ONNX Runtime on this processor. `npm run bench:split` tries more cases, and counts those outside of the table. */
import { compare } from '../../bench/split/comparison';
import { Random } from '../../bench/split/random';
import { KINDS, randomOperator } from '../../bench/split/random-operator';
import { cases } from '../support/full-checks';
import { temporaryFolder } from '../support/temporary-folder';

const CASES = cases(66, 506);
const ELEMENTS = cases(200_000, 1_000_000);
const THREADS = [1, 2, 3, 4, 6];

it('random operators in parts of the table have the bits of the whole', async () => {
  const folder = temporaryFolder();
  const kinds = Object.keys(KINDS);
  const differing: string[] = [];
  let inside = 0;
  for (let seed = 0; seed < CASES; seed++) {
    const random = new Random(seed);
    const subject = randomOperator(kinds[seed % kinds.length], random, ELEMENTS);
    const threads = random.pick(THREADS);
    const { parts, isInside, isIdentical } = await compare(subject, random, { threads, folder });
    if (isInside) inside++;
    if (isInside && !isIdentical)
      differing.push(`${subject.description} in ${parts.join('+')} by ${threads} threads (seed ${seed})`);
  }
  expect(differing).toEqual([]);
  expect(inside).toBeGreaterThan(CASES / 3);
});
