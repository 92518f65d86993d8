/** Uploads that a user interrupts or whose connection breaks. */
import type { ChildProcess } from 'node:child_process';
import { uploadAll } from '../../../bin/upload';
import { cli } from '../../support/run-cli';
import { partNumber, s3Proxy } from '../../support/s3-proxy';
import { sparseModel } from '../../support/sparse-model';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';
import { BUCKET, contentOf, makeFile, PART, storedFiles, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();

test('Ctrl-C ends the command and leaves no parts, and the same command then sends the rest', async () => {
  const model = sparseModel(1, 2048);
  const command = (endpoint: string, onStart?: (child: ChildProcess) => void) =>
    cli(['slice', model, '--slices', '1', '--out', `s3://${BUCKET}/models`], {
      env: { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: 'us-east-1' },
      ...(onStart && { onStart }),
    });
  const before = storedFiles(s3);
  let child: ChildProcess | undefined;
  const proxy = await s3Proxy(s3.server.endpoint, (message) => {
    if (partNumber(message) !== 2) return 'pass';
    child?.kill('SIGINT');
    return 'hold';
  });
  const interrupted = await command(proxy.endpoint, (started) => (child = started));
  await proxy.close();
  expect(interrupted).toMatchObject({ signal: 'SIGINT', stdout: '', leftovers: [] });
  expect(interrupted.stderr).toMatch(/^error: the upload must go on .*: run the command again [^\n]+\n$/);
  // The small file of the graph may be there. S3 notices later that parts in flight do not end.
  await until('S3 keeps no parts', () => storedFiles(s3) <= before + 1);

  expect(await command(s3.server.endpoint)).toMatchObject({ code: 0, stderr: '' });
  expect(storedFiles(s3)).toBe(before + 3);
});

test('an upload succeeds although a connection breaks once', async () => {
  const task = makeFile(folder, 2 * PART);
  let toBreak = 1;
  const proxy = await s3Proxy(s3.server.endpoint, (message) =>
    partNumber(message) !== undefined && toBreak-- > 0 ? 'break' : 'pass',
  );
  const { client } = s3.connect(undefined, proxy.endpoint);
  await uploadAll(client, BUCKET, [task]);
  expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  await proxy.close();
});
