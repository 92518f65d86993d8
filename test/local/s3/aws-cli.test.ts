/** The AWS CLI against the local S3 over TLS, if the machine has it (`pip install awscli`). */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { makeServerCertificate } from '../../../local/tls/certificate';
import { AWS_CLI } from '../../support/aws-cli';
import { temporaryFolder } from '../../support/temporary-folder';

/** Each command starts Python. */
jest.setTimeout(60_000);

(AWS_CLI === undefined ? describe.skip : describe)('the AWS CLI', () => {
  const folder = temporaryFolder();
  const store = new DiskObjectStore(path.join(folder, 's3'));
  const certificate = makeServerCertificate();
  const small = randomBytes(1000);
  const large = randomBytes(50_000_000);
  let server: S3Server;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    store.createBucket('the-bucket');
    const callers = new Callers();
    server = await S3Server.start(store, callers, { certificate });
    const { accessKeyId, secretAccessKey, sessionToken } = callers.addTemporary();
    const file = (name: string, content: string | Buffer): string => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    file('small', small);
    file('large', large);
    file('tree/a b+ü.txt', 'a');
    file('tree/below/b', 'b');
    env = {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_CA_BUNDLE: file('authority.pem', certificate.authority),
      AWS_CONFIG_FILE: file('config', '[default]\ns3 =\n  signature_version = s3v4\n'),
    };
  });

  afterAll(() => server.close());

  async function succeed(...args: string[]): Promise<string> {
    const child = spawn(AWS_CLI ?? '', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    expect([code, stdout + stderr]).toEqual([0, stdout + stderr]);
    return stdout + stderr;
  }

  it.each([
    ['1 KB', 'small', small],
    ['50 MB', 'large', large],
  ])('copies %s up and down', async (_, name, content) => {
    await succeed('s3', 'cp', name, `s3://the-bucket/${name}`);
    await succeed('s3', 'cp', `s3://the-bucket/${name}`, `${name}-back`);
    expect(fs.readFileSync(path.join(folder, `${name}-back`)).equals(content)).toBe(true);
  });

  it('synchronizes folders, and copies nothing again', async () => {
    expect(await succeed('s3', 'sync', 'tree', 's3://the-bucket/tree')).toContain('below/b');
    expect(await succeed('s3', 'sync', 'tree', 's3://the-bucket/tree')).toBe('');
    await succeed('s3', 'sync', 's3://the-bucket/tree', 'back');
    expect(fs.readFileSync(path.join(folder, 'back/a b+ü.txt'), 'utf8')).toBe('a');
    expect(await succeed('s3', 'ls', 's3://the-bucket/tree/')).toMatch(/PRE below\/[^]* 1 a b\+ü\.txt/);
    await succeed('s3', 'rm', '--recursive', 's3://the-bucket/tree');
    expect(store.list('the-bucket', 'tree')).toEqual([]);
  });
});
