/** Uploads that a user interrupts. */
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { cli } from '../../support/run-cli';
import { sparseModel } from '../../support/sparse-model';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';
import { BUCKET, contentOf, storedFiles, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();

/** A proxy in front of the local S3. `judge` decides about each part whether it is forwarded or waits forever. */
async function s3Proxy(judge: (part: number) => 'pass' | 'hold') {
  const server = http.createServer((message, response) => {
    const { method, headers, url = '' } = message;
    const part = /[?&]partNumber=(\d+)/.exec(url)?.[1];
    const verdict = part === undefined ? 'pass' : judge(Number(part));
    if (verdict !== 'pass') return;
    const request = http.request(`${s3.server.endpoint}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.on('error', () => response.destroy());
    message.on('error', () => request.destroy());
    message.pipe(request);
  });
  const endpoint = `http://127.0.0.1:${await listen(server)}`;
  return { endpoint, close: () => closeServer(server) };
}

test('Ctrl-C ends the command and leaves no parts, and the same command then sends the rest', async () => {
  const model = sparseModel(1, 2048);
  const plan = path.join(temporaryFolder(), 'plan.json');
  const command = (endpoint: string, onStart?: (child: ChildProcess) => void) =>
    cli(['slice', model, '--slices', '1', '--out', `s3://${BUCKET}/models`, '--plan', plan], {
      env: { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: 'us-east-1' },
      ...(onStart && { onStart }),
    });
  const before = storedFiles(s3);
  let child: ChildProcess | undefined;
  const proxy = await s3Proxy((part) => {
    if (part !== 2) return 'pass';
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
  expect(fs.readFileSync(plan)).toEqual(await contentOf(s3.client, 'models/plan.json'));
});
