/** The command line, which calls a batch in the local cloud with the client. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BatchRow } from '../../client';
import { variables } from '../../bin/local-cloud/variables';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { LocalCloud } from '../../local';
import { MODEL, startBatch, synthesizeBatch } from '../support/deployed-batch';
import { rows } from '../support/deployed-pipeline';
import { cli } from '../support/run-cli';
import { expectSameBits, runWhole } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startBatch(synthesizeBatch({ toleratedFailures: 1 }));
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
  for (const index of [0, 1]) write(index, encodeSafetensors(rows(1, index)));
  expect(await run()).toMatchObject({
    ...{ code: 0, stderr: '' },
    account: { items: { total: 4, done: 2, skipped: 2, failed: 0 }, out: { files: 4, skipped: 2 } },
  });
  const lines = fs.readFileSync(path.join(out, 'table.jsonl'), 'utf8').trimEnd().split('\n');
  const table = lines.map((line) => JSON.parse(line) as BatchRow);
  expect(fs.readdirSync(out)).toHaveLength(2);
  const files = fs.readdirSync(out, { recursive: true, encoding: 'utf8' });
  for (const { item } of table) {
    const name = item.split('/').slice(3).join('/').replaceAll('\\', '%5C');
    const file = files.find((own) => own.includes(`${name}.`) && own.endsWith('.safetensors')) ?? '';
    const written = decodeSafetensors(fs.readFileSync(path.join(out, file)));
    expectSameBits(written, await runWhole(MODEL, rows(1, Number(item.at(-1)))));
  }
});
