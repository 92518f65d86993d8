/** Figures of costs in the documents: the model computes them. */
import { BERT_LARGE, writeEncoder } from '../../bench/times/encoder';
import { analyzeModel } from '../../lib/compile/analyze';
import { MAX_HANDLED_BYTES } from '../../contract/batch-pack';
import { BATCH_FUNCTION_TMP_MB, MAX_ITEMS_PER_RUN, MAX_TABLE_ITEMS } from '../../lib/cost/batch-limits';
import { MAX_CONSTANTS_BYTES, parseConstants } from '../../lib/cost/constants/constants-file';
import { DEFAULT_ENVIRONMENT, ENVIRONMENT, PRICES } from '../../lib/cost/constants/defaults';
import {
  BERT,
  SMALL,
  bertRows,
  downloadRows,
  exampleOf,
  millionRows,
  monthRows,
} from '../support/cost-tables';
import { README, documentNamed } from '../support/documents';
import { asRows, rowsOf } from '../support/table-rows';
import { temporaryFolder } from '../support/temporary-folder';

const guide = documentNamed('docs/costs.md');

const rows = rowsOf(guide.text);

it.each([
  ['a million runs', millionRows],
  ["a model of BERT-large's shape", bertRows],
  ['a month by requests per hour', monthRows],
  ['downloads', downloadRows],
])('the guide to costs has the rows of %s that the model computes', (_, expected) => {
  expect(rows).toEqual(expect.arrayContaining(asRows(expected())));
});

it("the example of BERT-large's shape computes as long as a plan of that shape says", () => {
  const { file } = writeEncoder(temporaryFolder(), BERT_LARGE);
  const { cuts } = analyzeModel(file, { dimensions: { tokens: 128 } });
  expect(cuts.costs.work.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(BERT.coreSeconds, 2);
});

it('the guide to costs has files of constants that the library reads', () => {
  const files = guide.codeBlocks('json').map(({ text }) => text);

  expect(files).toHaveLength(2);
  expect(files.every((file) => file.length < MAX_CONSTANTS_BYTES)).toBe(true);
  expect(parseConstants(files[0], 'p.json', 'prices', PRICES)).not.toEqual(PRICES);
  expect(parseConstants(files[1], 'e.json', 'environment', ENVIRONMENT)).not.toEqual(ENVIRONMENT);
});

it('the guide to batches has the limits that plan, the construct and the handlers have', () => {
  const { text } = documentNamed('docs/batch.md');
  expect(text).toContain(`A run has at most ${MAX_ITEMS_PER_RUN} items`);
  expect(text).toContain(`at most ${MAX_HANDLED_BYTES / 1024 - 1} KiB of JSON for an item`);
  expect(text).toContain(`A table may have about ${Math.round(MAX_TABLE_ITEMS / 1e6)} million items`);
  expect(text).toContain(`disk of ${BATCH_FUNCTION_TMP_MB / 1024} GiB`);
});

it('the README has the costs that the model computes', () => {
  expect(rowsOf(README.text)).toEqual(expect.arrayContaining(asRows(millionRows())));
});

it('the README compares one function with slices by the same figures', () => {
  const [[, slices], [, whole]] = millionRows();
  const [dollars] = /\$\d+/.exec(slices) ?? [];

  expect(README.text).toContain(`${whole} instead of ${dollars} for a million runs`);
});

it('the README has the warm times of the large model that the guide has', () => {
  const [express] = bertRows();
  const whole = bertRows().find(([name]) => name.startsWith('one Lambda function')) ?? [];
  const [slices, one] = [express, whole].map(([, time]) => time.replace(/ \(.*/, ''));
  expect(README.text).toContain(
    `A model of 1.3 GB takes ${slices} in eight slices, and ${one} in one function`,
  );
});

it('the README names the weights below which one function is better in everything, which the network decides', () => {
  const { burst } = DEFAULT_ENVIRONMENT.network;
  expect(README.text).toContain(`the model has less than ${burst} MiB of weights`);
  expect(documentNamed('docs/large-models.md').text).toContain(`| more than ${burst} MiB `);
  const verdictAt = (mebibytes: number) => {
    const { verdict } = exampleOf(
      { ...SMALL, fileBytes: mebibytes * 2 ** 20, peakMemoryMb: 512 },
      {},
    ).comparison;
    return verdict.sentences[0];
  };
  expect(verdictAt(burst)).toMatch(
    /^one function .* is cheaper than 4 slices .* faster warm, .*, and cold, [^,]*$/,
  );
  expect(verdictAt(3 * burst)).toMatch(/faster warm, .*, but 4 slices are faster cold, /);
});
