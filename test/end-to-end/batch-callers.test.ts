/** What calls a batch: the client and the command line, against a batch in the local cloud. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BatchRow } from '../../client';
import { variables } from '../../bin/local-cloud/variables';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import { BatchItems } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { MODEL, PREFIX, putRequests, startBatch, synthesizeBatch } from '../support/deployed-batch';
import { rows } from '../support/deployed-pipeline';
import { cli } from '../support/run-cli';
import { expectSameBits, runWhole } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';

let cloud: LocalCloud;
beforeAll(async () => {
  const items = () => BatchItems.objects(PREFIX);
  cloud = await startBatch(synthesizeBatch({ items, pipeline: () => ({}), toleratedFailures: 1 }));
});

test('the client follows a batch and reads its results', async () => {
  const requests = await putRequests(cloud, ['a.safetensors', 'b.safetensors']);
  await cloud.putObject(`${PREFIX}c.txt`, Buffer.from('no request'));
  const client = clientOf(cloud, { stateMachineArn: cloud.stateMachine.stateMachineArn });
  const batch = await client.batch();
  const seen = [];
  for await (const progress of batch.progress()) seen.push(progress);
  expect(seen.at(-1)).toMatchObject({ total: 3, running: 0, pending: 0 });
  const found = [];
  for await (const row of batch.rows()) {
    found.push([row.item, row.status]);
    if (row.status === 'failed') continue;
    const { outputs } = await row.read();
    const whole = await runWhole(MODEL, requests.get(row.item) ?? new Map());
    expect(Object.keys(outputs ?? {})).toEqual([...whole.keys()]);
  }
  expect(found).toEqual([
    [`${PREFIX}a.safetensors`, 'done'],
    [`${PREFIX}b.safetensors`, 'done'],
    [`${PREFIX}c.txt`, 'failed'],
  ]);
  await client.close();
});

test('the command runs a folder, writes what there is of too many failures, and a rerun computes the rest', async () => {
  const [folder, out] = [temporaryFolder(), temporaryFolder()];
  // On Windows, backslashes separate the names of a path.
  const names = ['0', '1', 'a..\\..\\..\\2', 'deep/3'];
  const write = (index: number, content: Uint8Array) => {
    fs.writeFileSync(path.join(folder, names[index]), content);
  };
  fs.mkdirSync(path.join(folder, 'deep'));
  fs.writeFileSync(path.join(folder, '.hidden'), 'no item');
  for (const index of [0, 1]) write(index, Buffer.from('no request'));
  for (const index of [2, 3]) write(index, encodeSafetensors(rows(1, index)));
  const args = ['batch', cloud.stateMachine.stateMachineArn, '--inputs', folder, '--out', out, '--json'];
  const run = async () => {
    const { stdout, ...rest } = await cli(args, { env: variables(cloud, {}) });
    return { ...rest, account: JSON.parse(stdout) as object };
  };
  expect(await run()).toMatchObject({
    ...{
      code: 1,
      stderr: expect.stringMatching(/^error: the execution failed: TooManyFailures: 2 of 4 /) as string,
    },
    account: { status: 'FAILED', error: { name: 'TooManyFailures' }, out: { files: 2, skipped: 0 } },
  });
  expect(await cli([...args, '--redrive'], { env: variables(cloud, {}) })).toMatchObject({
    ...{
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('early to be redriven, got TooMany') as string,
    },
  });
  for (const index of [0, 1]) write(index, encodeSafetensors(rows(1, index)));
  expect(await run()).toMatchObject({
    ...{ code: 0, stderr: '' },
    account: { items: { total: 4, done: 2, skipped: 2, failed: 0 }, out: { files: 4, skipped: 2 } },
  });
  const lines = fs.readFileSync(path.join(out, 'table.jsonl'), 'utf8').trimEnd().split('\n');
  const table = lines.map((line) => JSON.parse(line) as BatchRow);
  expect(fs.readdirSync(out)).toHaveLength(2);
  for (const { item, result = '' } of table) {
    const file = result.split('/').slice(2).join('/').replaceAll('\\', '%5C');
    const written = decodeSafetensors(fs.readFileSync(path.join(out, file)));
    expectSameBits(written, await runWhole(MODEL, rows(1, Number(item.at(-1)))));
  }
});
