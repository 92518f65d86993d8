/** Answers of a postprocess function are stored by the digests of their items. */
import { resultName } from '../../../lambda/batch/item-digest';
import { storeAnswers, storedLines } from '../../../lambda/batch/stored-answers';
import { batchFixture, digest, resultFile } from '../../support/batch-context';

const PREFIX = 'outputs/nightly/abab/';
const RESULT = `${PREFIX}result`;
const [a, b, c] = [1, 2, 3].map((of) => digest(of));
const WANTED = { result: RESULT, prefix: PREFIX, salt: '' };

function fixture() {
  const own = batchFixture();
  own.objects.put(RESULT, resultFile([a, b, c]));
  return own;
}

it('has a line for each answer, in the order of the entries, from the first one that was not answered', async () => {
  const { context, text, objects } = fixture();
  const answers = [{ value: { label: 'ü\n' } }, { value: null }];
  const { results, failed } = await storeAnswers({ ...WANTED, items: [17, 12], from: 1, answers }, context);
  const key = `${PREFIX}${resultName([b, c], '', 'jsonl')}`;
  expect([results, failed]).toEqual([[{ key, items: [17, 12] }], []]);
  expect(text(key)).toBe(`{"digest":"${b}","output":{"label":"ü\\n"}}\n{"digest":"${c}","output":null}\n`);
  expect(storedLines(Buffer.from(text(key)))).toEqual([
    { digest: b, output: { label: 'ü\n' } },
    { digest: c, output: null },
  ]);
  expect(objects.openBodies).toBe(0);
});

it('leaves out the items that failed, and says why', async () => {
  const { context, text } = fixture();
  const failure = { error: 'TypeError', message: `no\npicture ${'x'.repeat(500)}` };
  const answers = [{ value: 1 }, { failure }, { value: 3 }];
  const wanted = { ...WANTED, salt: '01234567', items: [7, 8, 9], from: 0, answers };
  const { results, failed } = await storeAnswers(wanted, context);
  const key = `${PREFIX}${resultName([a, c], '01234567', 'jsonl')}`;
  expect(results).toEqual([{ key, items: [7, 9] }]);
  expect(failed).toEqual([
    { items: [8], error: 'TypeError', cause: expect.stringMatching(/^no picture x{333}…$/) as string },
  ]);
  expect(storedLines(Buffer.from(text(key))).map(({ output }) => output)).toEqual([1, 3]);
});

it('stores nothing if all failed', async () => {
  const { context, objects } = fixture();
  const answers = [{ failure: { error: 'E', message: 'm' } }];
  const stored = await storeAnswers({ ...WANTED, items: [7], from: 0, answers }, context);
  expect(stored).toEqual({ results: [], failed: [{ items: [7], error: 'E', cause: 'm' }] });
  expect(objects.keys()).toEqual([RESULT]);
});

it('keeps the answers of an earlier attempt', async () => {
  const { context, text } = fixture();
  const wanted = (value: number) => ({ ...WANTED, items: [7], from: 0, answers: [{ value }] });
  const { results } = await storeAnswers(wanted(1), context);
  expect((await storeAnswers(wanted(2), context)).results).toEqual(results);
  expect(text(results[0].key)).toContain('"output":1');
});

it('refuses an object that names no items, and lines without a digest', async () => {
  const { context, objects } = fixture();
  objects.put(RESULT, Buffer.from('text'));
  const wanted = { ...WANTED, items: [7], from: 0, answers: [{ value: 1 }] };
  await expect(storeAnswers(wanted, context)).rejects.toThrow();
  objects.put(RESULT, resultFile(['a', 7 as unknown as string]));
  await expect(storeAnswers(wanted, context)).rejects.toThrow(`${RESULT} must name its items, got none`);
  for (const text of ['', '{}', '[]', '{"digest":7}', 'x'])
    expect(() => storedLines(Buffer.from(text))).toThrow('must have the digest of an item');
});
