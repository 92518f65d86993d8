/** The account of a batch. */
import type { BatchRow } from '../../../contract/batch';
import { Account } from '../../../lambda/batch/account';

let next = 0;

function failed(error: string, message: string): BatchRow {
  const index = next++;
  return { index, item: `item ${index}`, status: 'failed', failure: { error, message } };
}

it('counts the items by how they ended', () => {
  const account = new Account();
  for (const status of ['done', 'done', 'skipped', 'pending', 'pending', 'pending'] as const)
    account.addRow({ index: 0, item: '', status });
  account.addRow(failed('E', 'm'));
  expect(account.output().items).toEqual({ total: 7, done: 2, skipped: 1, failed: 1, pending: 3 });
});

it('adds up the calls of the runs that computed results, by slice, and the whole model last', () => {
  const account = new Account();
  const whole = { whole: true, mbMs: 100 } as const;
  account.addResult({ key: 'a', items: [0], ms: 10, calls: [whole] });
  account.addResult({ key: 'b', items: [1], ms: 20, calls: [{ slice: 1, mbMs: 5 }] });
  account.addResult({
    ...{ key: 'c', items: [2], ms: 30 },
    calls: [
      { slice: 0, mbMs: 1 },
      { slice: 1, mbMs: 2 },
    ],
  });
  account.addResult({ key: 'skipped', items: [3] });
  expect(account.output()).toMatchObject({
    milliseconds: 60,
    runs: 3,
    usage: [
      { slice: 0, calls: 1, mbMs: 1 },
      { slice: 1, calls: 2, mbMs: 7 },
      { whole: true, calls: 1, mbMs: 100 },
    ],
  });
});

it('counts a run once whose answers of a postprocess function were stored in several objects', () => {
  const account = new Account();
  account.addResult({ key: 'a', items: [0], ms: 10, calls: [{ slice: 0, mbMs: 1 }] });
  account.addResult({ key: 'b', items: [1], ms: 0, calls: [] });
  expect(account.output()).toMatchObject({ milliseconds: 10, runs: 1, usage: [{ calls: 1 }] });
});

it('groups failures whose messages differ in names and numbers, with the first of them, the most frequent first', () => {
  const account = new Account();
  const first = failed('InvalidInput', "'inputs/a' has 7 bytes");
  for (const row of [
    failed('TypeError', 'rare'),
    first,
    failed('InvalidInput', "'inputs/b' has 12 bytes"),
    failed('TypeError', "'inputs/b' has 12 bytes"),
    failed('InvalidInput', "'inputs/c' has 7 bytes"),
  ])
    account.addRow(row);
  const failures = account.failures();
  expect(failures.map(({ count }) => count)).toEqual([3, 1, 1]);
  expect(failures[0]).toEqual({ item: first.item, ...first.failure, count: 3 });
});

it('has the 20 most frequent failures, and counts at most a thousand different ones', () => {
  const account = new Account();
  const different = Array.from({ length: 2000 }, (_, at) => `E${String.fromCodePoint(0x4e00 + at)}`);
  for (const error of different) account.addRow(failed(error, 'm'));
  for (const error of [different[999], different[1999]])
    for (let again = 0; again < 5; again++) account.addRow(failed(error, 'm'));
  const { failures, items } = account.output();
  expect([failures.length, items.failed]).toEqual([20, 2010]);
  expect(failures.map(({ error, count }) => `${error} ${count}`)).toContain(`${different[999]} 6`);
  expect(failures.filter(({ count }) => count > 1)).toHaveLength(1);
});
