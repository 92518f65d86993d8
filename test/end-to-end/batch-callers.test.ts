/** What calls a batch: the client and the command line, against a batch in the local cloud. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { variables } from '../../bin/local-cloud/variables';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { BatchItems } from '../../lib';
import { clientOf } from '../support/client-of-cloud';
import { MODEL, PREFIX, putRequests, startBatch, synthesizeBatch } from '../support/deployed-batch';
import { rows } from '../support/deployed-pipeline';
import { cli } from '../support/run-cli';
import { runWhole } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';

const deployed = () =>
  startBatch(synthesizeBatch({ items: () => BatchItems.objects(PREFIX), pipeline: () => ({}) }));

test('the client follows a batch and reads its results', async () => {
  const cloud = await deployed();
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
  expect(found).toEqual(
    ['a.safetensors', 'b.safetensors', 'c.txt'].map((name) => [
      `${PREFIX}${name}`,
      name === 'c.txt' ? 'failed' : 'done',
    ]),
  );
  await client.close();
});

test('the command runs a folder, and a rerun skips what has a result', async () => {
  const cloud = await deployed();
  const [folder, out] = [temporaryFolder(), temporaryFolder()];
  for (const [index, name] of ['a', 'b'].entries()) {
    fs.writeFileSync(path.join(folder, `${name}.safetensors`), encodeSafetensors(rows(1, index + 1)));
  }
  const args = ['batch', cloud.stateMachine.stateMachineArn, '--inputs', folder, '--out', out, '--json'];
  const run = async () => {
    const { code, stdout, stderr } = await cli(args, { env: variables(cloud, {}) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as object;
  };
  expect(await run()).toMatchObject({ items: { total: 2, done: 2 }, out: { files: 2, skipped: 0 } });
  expect(await run()).toMatchObject({ items: { total: 2, skipped: 2 }, out: { files: 2, skipped: 2 } });
});
