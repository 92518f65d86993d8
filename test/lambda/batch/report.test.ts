/** The report of the failed items of a child: an object, lines of the log, and a metric. */
import { FAILED_ITEMS_METRIC } from '../../../contract/batch-function';
import { METRICS_NAMESPACE } from '../../../contract/environment';
import { reportFailures } from '../../../lambda/batch/report';
import { batchFixture } from '../../support/batch-context';

const FAILED = [
  { items: [12, 7], error: 'InvalidInput', cause: 'no request' },
  { items: [30], error: 'TypeError', cause: '{"errorMessage":"no picture"}', hint: 'set itemsPerRun to 1' },
];

it('is an object whose name ends with the number of items, so that a list of the names tells the progress', async () => {
  const { context, text } = batchFixture();
  const { key } = await reportFailures({ execution: 'night', failed: FAILED, done: [] }, context);
  expect(key).toMatch(/^outputs\/nightly\/failures\/night\/7-[0-9a-f]{32}-3\.json$/);
  expect(JSON.parse(text(key))).toEqual([
    { items: [12, 7], error: 'InvalidInput', message: 'no request' },
    { items: [30], error: 'TypeError', message: 'no picture: set itemsPerRun to 1' },
  ]);
});

it('is the same object when it is written again, and another one for other failures', async () => {
  const { context, objects } = batchFixture();
  const keys: string[] = [];
  for (const cause of ['a', 'a', 'b']) {
    const failed = [{ ...FAILED[0], cause }];
    keys.push((await reportFailures({ execution: 'night', failed, done: [] }, context)).key);
  }
  expect(keys[0]).toBe(keys[1]);
  expect(objects.keys().sort()).toEqual([keys[0], keys[2]].sort());
});

it('counts an item once that failed several times, with its last reason', async () => {
  const { context, text, lines } = batchFixture();
  const failed = [
    ...FAILED,
    { items: [12, 7], error: 'Runtime.ExitError', cause: 'exit status 7' },
    { items: [12], error: 'InvalidInput', cause: 'no request' },
  ];
  const { key } = await reportFailures({ execution: 'night', failed, done: [] }, context);
  expect(key).toMatch(/-3\.json$/);
  expect(JSON.parse(text(key))).toEqual([
    { items: [30], error: 'TypeError', message: 'no picture: set itemsPerRun to 1' },
    { items: [7], error: 'Runtime.ExitError', message: 'exit status 7' },
    { items: [12], error: 'InvalidInput', message: 'no request' },
  ]);
  expect(lines.at(-1)).toMatchObject({ FailedItems: 3 });
});

it('does not count items that have results after all', async () => {
  const { context, text, lines } = batchFixture();
  const { key } = await reportFailures({ execution: 'night', failed: FAILED, done: [7, 8] }, context);
  expect(JSON.parse(text(key))).toEqual([
    { items: [12], error: 'InvalidInput', message: 'no request' },
    { items: [30], error: 'TypeError', message: 'no picture: set itemsPerRun to 1' },
  ]);
  expect(lines.at(-1)).toMatchObject({ FailedItems: 2 });
  const all = { execution: 'night', failed: FAILED, done: [7, 12, 30] };
  expect(await reportFailures(all, batchFixture().context)).toEqual({ key: '' });
});

it('is in the log: a line for each reason, and one with the number, which is a metric', async () => {
  const { context, lines } = batchFixture();
  process.env.AWS_LAMBDA_FUNCTION_NAME = 'batch-function';
  await reportFailures({ execution: 'night', failed: FAILED, done: [] }, context);
  delete process.env.AWS_LAMBDA_FUNCTION_NAME;
  const about = { level: 'ERROR', message: 'items failed', execution: 'night' };
  const Metrics = [{ Name: FAILED_ITEMS_METRIC, Unit: 'Count' }];
  expect(lines).toEqual([
    { ...about, items: [12, 7], error: 'InvalidInput', reason: 'no request' },
    { ...about, items: [30], error: 'TypeError', reason: 'no picture: set itemsPerRun to 1' },
    {
      ...{ level: 'INFO', message: 'run has failed items', execution: 'night' },
      ...{ FailedItems: 3, FunctionName: 'batch-function' },
      _aws: {
        Timestamp: expect.any(Number) as number,
        CloudWatchMetrics: [{ Namespace: METRICS_NAMESPACE, Dimensions: [['FunctionName']], Metrics }],
      },
    },
  ]);
});
