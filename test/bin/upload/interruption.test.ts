/** Uploads whose process is killed or whose connection breaks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import * as path from 'node:path';
import type { UploadTask } from '../../../bin/upload';
import { temporaryFolder } from '../../support/temporary-folder';
import { partNumber, s3Proxy } from '../../support/s3-proxy';
import {
  BUCKET,
  contentOf,
  makeFile,
  openUploads,
  PART,
  uploadFile,
  uploadFixture,
} from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();

/** Uploads in a child process, which finds S3 by its environment variables alone. */
function uploadElsewhere(endpoint: string, task: UploadTask): ChildProcess {
  const script = `
    const { uploadAll, uploadClient } = require(${JSON.stringify(path.join(__dirname, '../../../dist/bin/upload'))});
    uploadAll(uploadClient(), ${JSON.stringify(BUCKET)}, [${JSON.stringify(task)}], { partBytes: ${PART} });`;
  const env = { ...process.env, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: 'us-east-1' };
  return spawn(process.execPath, ['-e', script], { env, stdio: 'ignore' });
}

test('an upload does not send the parts again that a killed process has sent', async () => {
  const { content, ...task } = makeFile(folder, 3 * PART + 1);
  const arrivals = new EventEmitter();
  const arrived = new Set<number>();
  const threeArrived = once(arrivals, 'three');
  const proxy = await s3Proxy(
    s3.server.endpoint,
    (message) => (partNumber(message) === 4 ? 'hold' : 'pass'),
    (message) => {
      const part = partNumber(message);
      if (part !== undefined && arrived.add(part).size === 3) arrivals.emit('three');
    },
  );
  const child = uploadElsewhere(proxy.endpoint, task);
  const exit = once(child, 'exit');
  await Promise.race([threeArrived, exit]);
  child.kill('SIGKILL');
  expect(await exit).toEqual([null, 'SIGKILL']);
  await proxy.close();
  expect(await openUploads(s3.client)).toEqual([task.key]);

  const { client, partNumbers } = s3.connect();
  expect(await uploadFile(client, BUCKET, task, { partBytes: PART })).toBe('resumed');
  expect(partNumbers()).toEqual([4]);
  expect((await contentOf(s3.client, task.key)).equals(content)).toBe(true);
});

test('an upload succeeds although a connection breaks once', async () => {
  const task = makeFile(folder, 2 * PART);
  let toBreak = 1;
  const proxy = await s3Proxy(s3.server.endpoint, (message) =>
    partNumber(message) !== undefined && toBreak-- > 0 ? 'break' : 'pass',
  );
  const { client } = s3.connect(undefined, proxy.endpoint);
  expect(await uploadFile(client, BUCKET, task, { partBytes: PART })).toBe('uploaded');
  expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  await proxy.close();
});
