/** MiniStack, an emulator of AWS that knows nothing of this project: over TLS, with its IAM enforced. */
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as https from 'node:https';
import * as path from 'node:path';
import type { AddressInfo } from 'node:net';
import { makeServerCertificate } from '../../local/tls/certificate';
import { until } from '../../test/support/until';
import { Program, ROOT, SOURCES } from './processes';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** The root user of MiniStack's account, whom no policy restricts. */
export const ROOT_USER = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface MiniStack {
  /** For temporary files. */
  readonly folder: string;
  readonly endpoint: string;
  /** The authority of its certificate, as PEM. */
  readonly authority: string;
  /** Variables with which an unmodified AWS SDK calls it. They have no credentials. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts it. It ends with this process. @param folder for all that it writes */
export async function startMiniStack(python: string, folder: string): Promise<MiniStack> {
  const files = { authority: 'ca.pem', certificate: 'server.pem', privateKey: 'server.key' };
  const certificate = makeServerCertificate();
  const place = (name: string): string => path.join(folder, name);
  for (const [part, name] of Object.entries(files))
    fs.writeFileSync(place(name), certificate[part as keyof typeof files], { mode: 0o600 });
  const temporary = place('tmp');
  fs.mkdirSync(temporary);
  // Lambda's runtime has the AWS SDK, and nothing else of this repository.
  const sdk = place('sdk');
  fs.mkdirSync(sdk);
  fs.symlinkSync(path.join(ROOT, 'node_modules/@aws-sdk'), path.join(sdk, '@aws-sdk'), 'dir');

  const port = String(await freePort());
  const trust = { NODE_EXTRA_CA_CERTS: place(files.authority), AWS_CA_BUNDLE: place(files.authority) };
  const common = {
    PATH: process.env.PATH,
    TMPDIR: temporary,
    PYTHONDONTWRITEBYTECODE: '1',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...trust,
  };
  const program = new Program(python, [path.join(SOURCES, 'emulator.py')], {
    env: {
      ...common,
      END_WITH_STDIN: '1',
      ...{ AUTH: 'true', USE_SSL: '1', BIND_HOST: '127.0.0.1', GATEWAY_PORT: port, LOG_LEVEL: 'WARNING' },
      MINISTACK_SSL_CERT: place(files.certificate),
      MINISTACK_SSL_KEY: place(files.privateKey),
      SSL_CERT_FILE: trust.AWS_CA_BUNDLE,
      NODE_PATH: sdk,
    },
  });
  let hasEnded = false;
  void program.ended.finally(() => (hasEnded = true)).catch(() => undefined);
  const endpoint = `https://127.0.0.1:${port}`;
  await until('MiniStack answers', () => {
    if (hasEnded) throw new Error(`MiniStack must start, got its end: ${program.output}`);
    return answers(`${endpoint}/_ministack/health`, certificate.authority);
  });
  const environment = {
    ...common,
    ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION },
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
    // Settings of the user are not those of the check.
    ...{ AWS_CONFIG_FILE: place('config'), AWS_SHARED_CREDENTIALS_FILE: place('credentials') },
  };
  return { folder, endpoint, authority: certificate.authority, environment };
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    https
      .get(url, { ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      })
      .on('error', () => {
        resolve(false);
      });
  });
}
