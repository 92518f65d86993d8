/**
 * MiniStack, an emulator of AWS that knows nothing of this project, over TLS and with its IAM enforced; and CDK's command line, as a user
 * runs it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { makeServerCertificate } from '../../local/tls/certificate';
import { until } from '../../test/support/until';
import { Program, ROOT, run, SOURCES } from './processes';

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** The root user of MiniStack's account, whom no policy restricts. MiniStack checks its key only, so other users must not know it. */
const ROOT_USER = {
  accessKeyId: randomBytes(16).toString('hex'),
  secretAccessKey: randomBytes(16).toString('hex'),
};

const INSTALL_SECONDS = 300;
/** A deployment of a hundred slices takes some minutes on two cores. */
const CDK_SECONDS = 900;

const PIP = '-m pip install --quiet --disable-pip-version-check --retries 1 --only-binary=:all:'.split(' ');

/** Why the check cannot run on this machine. */
export class Missing extends Error {}

/**
 * Returns the path of a Python with MiniStack and the packages of the Python client, which later checks find again.
 * @throws Missing if there is no Python, or if pip's package index does not answer
 */
export async function pythonWithMiniStack(): Promise<string> {
  const base = process.env.PYTHON ?? 'python3';
  const [ministack, others] = ['ministack.txt', 'requirements.txt'].map((name) => path.join(SOURCES, name));
  const options = { env: process.env, seconds: INSTALL_SECONDS };
  try {
    const check = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)';
    const digest = createHash('sha256').update(await run(base, ['-c', check], options));
    for (const list of [ministack, others]) digest.update(fs.readFileSync(list));
    const folder = path.join(ROOT, 'dist', `ministack-${digest.digest('hex').slice(0, 16)}`);
    const [python, complete] = [path.join(folder, 'bin/python'), path.join(folder, 'complete')];
    if (fs.existsSync(complete)) return python;
    await run(base, ['-m', 'venv', '--clear', folder], options);
    await run(python, [...PIP, '--no-deps', '--require-hashes', '--requirement', ministack], options);
    await run(python, [...PIP, '--requirement', others], options);
    fs.writeFileSync(complete, '');
    return python;
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1);
    throw new Missing(
      `it needs ${base} 3.10 or newer with venv, and pip's package index, got ${reason}: set PYTHON to another Python`,
    );
  }
}

export type Outputs = Readonly<Partial<Record<string, string>>>;

export interface App {
  /** The folder of the assembly. */
  readonly app: string;
  readonly cwd: string;
  /** Makes the assembly before each deployment. */
  readonly synthesize: () => void;
}

export class Cloud {
  readonly s3: S3Client;
  readonly sfn: SFNClient;

  private constructor(
    readonly python: string,
    readonly folder: string,
    readonly endpoint: string,
    authority: string,
    /** Variables with which an unmodified AWS SDK calls it. They have no credentials. */
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    const requestHandler = { httpsAgent: { ca: authority } };
    const settings = { endpoint, region: REGION, credentials: ROOT_USER, requestHandler };
    this.s3 = new S3Client({ ...settings, forcePathStyle: true });
    this.sfn = new SFNClient(settings);
  }

  /** Starts MiniStack, which ends with this process, and bootstraps its account. @param folder for all that it writes */
  static async start(python: string, folder: string): Promise<Cloud> {
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
      ...{ END_WITH_STDIN: '1', AWS_ACCESS_KEY_ID: ROOT_USER.accessKeyId, AUTH: 'true', USE_SSL: '1' },
      ...{ BIND_HOST: '127.0.0.1', GATEWAY_PORT: port, LOG_LEVEL: 'WARNING' },
      ...{ MINISTACK_SSL_CERT: place('server.pem'), MINISTACK_SSL_KEY: place('server.key') },
      ...{ SSL_CERT_FILE: place('ca.pem'), NODE_PATH: place('sdk') },
    };
    const cloud = new Cloud(python, folder, endpoint, authority, {
      ...common,
      ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION },
      ...{ AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
      // Settings of the user are not those of the check.
      ...{ AWS_CONFIG_FILE: place('config'), AWS_SHARED_CREDENTIALS_FILE: place('credentials') },
    });
    await cloud.answers(new Program(python, [path.join(SOURCES, 'emulator.py')], { env }));
    await cloud.cdk(folder, 'bootstrap', `aws://${ACCOUNT}/${REGION}`);
    return cloud;
  }

  private async answers(ministack: Program): Promise<void> {
    let end: string | undefined;
    void ministack.ended.then((how) => (end = how));
    await until('MiniStack answers', () => {
      if (end !== undefined) throw new Error(`MiniStack must start, got ${end}: ${ministack.output}`);
      return this.s3.send(new ListBucketsCommand({})).then(
        () => true,
        () => false,
      );
    });
  }

  /** As variables, in a role that the root user assumes. Without a role, those of the root user. */
  asRole(roleArn: string | undefined): NodeJS.ProcessEnv {
    const { accessKeyId, secretAccessKey } = ROOT_USER;
    if (roleArn === undefined)
      return { ...this.environment, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const file = path.join(fs.mkdtempSync(path.join(this.folder, 'role-')), 'aws-config');
    const root = `[profile root]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    fs.writeFileSync(file, `${root}[profile role]\nrole_arn = ${roleArn}\nsource_profile = root\n`);
    return { ...this.environment, AWS_CONFIG_FILE: file, AWS_PROFILE: 'role' };
  }

  async deploy(stack: string, app: App): Promise<Outputs> {
    app.synthesize();
    const file = path.join(app.cwd, 'outputs.json');
    const options = ['--require-approval', 'never', '--outputs-file', file];
    await this.cdk(app.cwd, 'deploy', stack, '--app', app.app, ...options);
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Record<string, string>>)[stack];
  }

  async destroy(stack: string, app: App): Promise<void> {
    await this.cdk(app.cwd, 'destroy', stack, '--app', app.app, '--force');
  }

  private cdk(cwd: string, ...args: readonly string[]): Promise<string> {
    const program = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const settings = { CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DISABLE_VERSION_CHECK: '1' };
    const env = { ...this.asRole(undefined), HOME: process.env.HOME, ...settings };
    return run(process.execPath, [program, ...args, '--no-notices'], { cwd, env, seconds: CDK_SECONDS });
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}
