/** MiniStack, an emulator of AWS that knows nothing of this project: over TLS, with its IAM enforced. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { makeServerCertificate } from '../../local/tls/certificate';
import { until } from '../../test/support/until';
import { Program, ROOT, SOURCES } from './processes';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** The root user of MiniStack's account, whom no policy restricts. MiniStack checks its key only, so other users must not know it. */
export const ROOT_USER = {
  accessKeyId: randomBytes(16).toString('hex'),
  secretAccessKey: randomBytes(16).toString('hex'),
};

export interface MiniStack {
  /** For temporary files. */
  readonly folder: string;
  readonly endpoint: string;
  /** The authority of its certificate, as PEM. */
  readonly authority: string;
  /** Variables with which an unmodified AWS SDK calls it. They have no credentials. */
  readonly environment: NodeJS.ProcessEnv;
  /** As the root user. */
  readonly s3: S3Client;
  readonly sfn: SFNClient;
}

/** Starts it. It ends with this process. @param folder for all that it writes */
export async function startMiniStack(python: string, folder: string): Promise<MiniStack> {
  const place = (name: string): string => path.join(folder, name);
  const { authority, certificate, privateKey } = makeServerCertificate();
  const files = { 'ca.pem': authority, 'server.pem': certificate, 'server.key': privateKey };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(place(name), text, { mode: 0o600 });
  for (const name of ['tmp', 'sdk']) fs.mkdirSync(place(name));
  // Lambda's runtime has the AWS SDK, and nothing else of this repository.
  fs.symlinkSync(path.join(ROOT, 'node_modules/@aws-sdk'), place('sdk/@aws-sdk'), 'dir');

  const port = await freePort();
  const endpoint = `https://127.0.0.1:${port}`;
  const common = {
    PATH: process.env.PATH,
    TMPDIR: place('tmp'),
    PYTHONDONTWRITEBYTECODE: '1',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...{ NODE_EXTRA_CA_CERTS: place('ca.pem'), AWS_CA_BUNDLE: place('ca.pem') },
  };
  const env = {
    ...common,
    END_WITH_STDIN: '1',
    AWS_ACCESS_KEY_ID: ROOT_USER.accessKeyId,
    ...{ AUTH: 'true', USE_SSL: '1', BIND_HOST: '127.0.0.1', GATEWAY_PORT: port, LOG_LEVEL: 'WARNING' },
    ...{ MINISTACK_SSL_CERT: place('server.pem'), MINISTACK_SSL_KEY: place('server.key') },
    ...{ SSL_CERT_FILE: place('ca.pem'), NODE_PATH: place('sdk') },
  };
  const program = new Program(python, [path.join(SOURCES, 'emulator.py')], { env });
  let end: string | undefined;
  void program.ended.then((how) => (end = how));

  const requestHandler = { httpsAgent: { ca: authority } };
  const settings = { endpoint, region: REGION, credentials: ROOT_USER, requestHandler };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  await until('MiniStack answers', () => {
    if (end !== undefined) throw new Error(`MiniStack must start, got ${end}: ${program.output}`);
    return s3.send(new ListBucketsCommand({})).then(
      () => true,
      () => false,
    );
  });
  const environment = {
    ...common,
    ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION },
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
    // Settings of the user are not those of the check.
    ...{ AWS_CONFIG_FILE: place('config'), AWS_SHARED_CREDENTIALS_FILE: place('credentials') },
  };
  return { folder, endpoint, authority, environment, s3, sfn: new SFNClient(settings) };
}

/** As variables, with the root user's credentials. */
export function asRoot({ environment }: MiniStack): NodeJS.ProcessEnv {
  const { accessKeyId, secretAccessKey } = ROOT_USER;
  return { ...environment, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

/** As variables, in a role that the root user assumes. */
export function asRole(ministack: MiniStack, roleArn: string, folder: string): NodeJS.ProcessEnv {
  const file = path.join(folder, 'aws-config');
  const { accessKeyId, secretAccessKey } = ROOT_USER;
  const root = `[profile root]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  fs.writeFileSync(file, `${root}[profile role]\nrole_arn = ${roleArn}\nsource_profile = root\n`);
  return { ...ministack.environment, AWS_CONFIG_FILE: file, AWS_PROFILE: 'role' };
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}
