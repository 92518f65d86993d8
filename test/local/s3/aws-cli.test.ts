/** The AWS CLI against the local S3 over TLS, if the machine has it (`pip install awscli`). */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { AWS_CLI } from '../../support/aws-cli';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';

/** Each command starts Python. */
jest.setTimeout(60_000);

(AWS_CLI === undefined ? describe.skip : describe)('the AWS CLI', () => {
  const fixture = s3Fixture({ protocol: 'https' });
  const folder = temporaryFolder();
  const files = {
    small: randomBytes(1000),
    large: randomBytes(50_000_000),
    'tree/a b+ü.txt': 'a',
    'tree/below/b': 'b',
    config: '[default]\ns3 =\n  signature_version = s3v4\n',
  };
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    fs.mkdirSync(path.join(folder, 'tree/below'), { recursive: true });
    for (const [name, content] of Object.entries({ ...files, 'ca.pem': fixture.authority ?? '' }))
      fs.writeFileSync(path.join(folder, name), content);
    const { accessKeyId, secretAccessKey, sessionToken } = fixture.callers.addTemporary();
    env = {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_ENDPOINT_URL_S3: fixture.server.endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_CA_BUNDLE: 'ca.pem',
      AWS_CONFIG_FILE: 'config',
    };
  });

  async function succeed(...args: string[]): Promise<string> {
    const child = spawn(AWS_CLI ?? '', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    expect([code, stdout + stderr]).toEqual([0, stdout + stderr]);
    return stdout + stderr;
  }

  it.each(['small', 'large'] as const)('copies a %s file up and down', async (name) => {
    await succeed('s3', 'cp', name, `s3://${BUCKET}/${name}`);
    await succeed('s3', 'cp', `s3://${BUCKET}/${name}`, `${name}-back`);
    expect(fs.readFileSync(path.join(folder, `${name}-back`)).equals(files[name])).toBe(true);
  });

  it('synchronizes folders, and copies nothing again', async () => {
    expect(await succeed('s3', 'sync', 'tree', `s3://${BUCKET}/tree`)).toContain('below/b');
    expect(await succeed('s3', 'sync', 'tree', `s3://${BUCKET}/tree`)).toBe('');
    await succeed('s3', 'sync', `s3://${BUCKET}/tree`, 'back');
    expect(fs.readFileSync(path.join(folder, 'back/a b+ü.txt'), 'utf8')).toBe('a');
    expect(await succeed('s3', 'ls', `s3://${BUCKET}/tree/`)).toMatch(/PRE below\/[^]* 1 a b\+ü\.txt/);
    await succeed('s3', 'rm', '--recursive', `s3://${BUCKET}/tree`);
    expect(fixture.store.list(BUCKET, 'tree')).toEqual([]);
  });
});
