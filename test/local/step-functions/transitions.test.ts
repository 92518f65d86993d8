/** Simulated delays of transitions, on a virtual clock. */
import { run, task } from '../../support/machine-fixture';

test('each state is entered after a delay that depends on the bytes of its input', async () => {
  const bytes: number[] = [];
  const transitionMs = (size: number): number => {
    bytes.push(size);
    return 1000 + size;
  };
  const definition = task({ Next: 'B', Output: { b: 'twelve bytes' } }, { B: { Type: 'Pass', End: true } });
  const { seconds, result } = await run(definition, { input: { a: 'ä' }, transitionMs });

  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { b: 'twelve bytes' } });
  // {"a":"ä"} has nine characters, of which one takes two bytes; {"b":"twelve bytes"} has 20.
  expect(bytes).toEqual([10, 20]);
  expect(seconds).toBe(2.03);
});

test('without a simulation no time passes', async () => {
  expect((await run(task())).seconds).toBe(0);
});
