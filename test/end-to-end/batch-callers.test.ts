/** The client and the command line, which put requests of a batch into the local cloud, start it and read its results. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { type BatchRow, elementsOf, type NumericTensor } from '../../client';
import { variables } from '../../bin/local-cloud/variables';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import { BatchItems } from '../../lib';
import type { LocalCloud } from '../../local';
import { MODEL, startBatch, synthesizeBatch } from '../support/deployed-batch';
import { rows } from '../support/deployed-pipeline';
import { clientOf } from '../support/client-of-cloud';
import { cli } from '../support/run-cli';
import { expectSameBits, runWhole, type Tensors } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';

let cloud: LocalCloud;
/** Of a batch whose items are lines, and whose requests have any number of rows. */
let lines: LocalCloud;
beforeAll(async () => {
  cloud = await startBatch(synthesizeBatch({ toleratedFailures: 1 }));
  const items = () => BatchItems.jsonLines('inputs/lists/none.jsonl');
  lines = await startBatch(synthesizeBatch({ items, pipeline: () => ({ dimensions: {} }) }));
});

/** The keys below `inputs/`. */
async function inputsOf({ s3 }: LocalCloud, bucket: string): Promise<string[]> {
  const client = new S3(s3);
  const { Contents = [] } = await client.listObjectsV2({ Bucket: bucket, Prefix: 'inputs/' });
  client.destroy();
  return Contents.map(({ Key = '' }) => Key);
}

/** As the caller has them. */
const given = (tensors: Tensors) => {
  const x = tensors.get('x') as NumericTensor;
  return { x: { shape: x.shape, data: elementsOf(x) } };
};

test('the client puts an iterable of requests into one list, and a rerun skips all', async () => {
  const { stateMachineArn } = lines.stateMachine;
  const client = clientOf(lines, { stateMachineArn });
  // The tensors of the request with 3,000 rows do not fit into a line.
  const requests = Array.from({ length: 40 }, (_, at) => rows(at === 7 ? 3000 : 1 + (at % 3), at + 1));
  const named = () => new Map(requests.map((tensors, at) => [`row ${at}`, given(tensors)]));
  const batch = await client.batch({ requests: named() });
  let at = 0;
  for await (const row of batch.rows()) {
    const { outputs = {} } = await row.read();
    const { y } = outputs;
    const { y: expected } = Object.fromEntries(await runWhole(MODEL, requests[at]));
    expect([row.item, row.status]).toEqual([`row ${at++}`, 'done']);
    expect([y.shape, y.data]).toEqual([expected.shape, elementsOf(expected as NumericTensor)]);
  }
  expect(at).toBe(40);
  const put = await inputsOf(lines, batch.signature.bucket);
  expect(put.map((key) => key.replace(/[0-9a-f-]{36}/, 'id')).sort()).toEqual([
    ...['inputs/id.safetensors', 'inputs/lists/id.jsonl'],
  ]);
  const rerun = await client.batch({ requests: named() });
  expect((await rerun.result()).items).toMatchObject({ total: 40, done: 0, skipped: 40 });
  await client.close();
});

test('the command makes one list of a folder of requests, named by their files', async () => {
  const [folder, out] = [temporaryFolder(), temporaryFolder()];
  fs.mkdirSync(path.join(folder, 'deep'));
  const inputs = new Map(
    ['a.safetensors', 'b.json', 'deep/c.safetensors'].map((name, at) => [name, rows(1, at + 1)]),
  );
  for (const [name, tensors] of inputs) {
    const { x } = given(tensors);
    const json = Buffer.from(JSON.stringify({ x: [Array.from(x.data, Number)] }));
    fs.writeFileSync(path.join(folder, name), name.endsWith('.json') ? json : encodeSafetensors(tensors));
  }
  const args = ['batch', lines.stateMachine.stateMachineArn, '--inputs', folder, '--out', out, '--json'];
  const run = async () => await cli(args, { env: variables(lines, {}) });
  const { code, stdout } = await run();
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { items: { total: 3, done: 3 }, out: { files: 3 } }]);
  const table = fs.readFileSync(path.join(out, 'table.jsonl'), 'utf8').trimEnd().split('\n');
  expect(table.map((line) => (JSON.parse(line) as BatchRow).item)).toEqual([...inputs.keys()]);
  const files = fs
    .readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'));
  for (const [name, tensors] of inputs) {
    const file = files.find((own) => own.includes(`${path.basename(name)}.`)) ?? '';
    expectSameBits(decodeSafetensors(fs.readFileSync(path.join(out, file))), await runWhole(MODEL, tensors));
  }
  expect(JSON.parse((await run()).stdout)).toMatchObject({ items: { total: 3, done: 0, skipped: 3 } });
  fs.writeFileSync(path.join(folder, 'notes.txt'), 'no request');
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('notes.txt') as string });
  fs.rmSync(path.join(folder, 'notes.txt'));
  fs.writeFileSync(path.join(folder, 'deep', 'd.json'), '{"z": [1]}');
  const bad = await run();
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/deep.d\.json.*'z'/)]);
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
    const name = (item.split('/').at(-1) ?? '').replaceAll('\\', '%5C');
    // The digest in a file's name can end with any digit, so the name must begin with the item.
    const file = files.find((own) => path.basename(own).startsWith(`${name}.`)) ?? '';
    const written = decodeSafetensors(fs.readFileSync(path.join(out, file)));
    expectSameBits(written, await runWhole(MODEL, rows(1, Number(item.at(-1)))));
  }
});
