/**
 * MiniStack, an emulator of AWS that knows nothing of this project, over TLS and with its IAM enforced; and CDK's command line, as a user
 * runs it.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { json } from 'node:stream/consumers';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { Hash } from '@smithy/core/serde';
import { SlicedInferenceClient } from '../../client';
import { makeServerCertificate } from '../../local/http/certificate';
import { ROOT } from '../support/documents';
import { pythonWith } from '../support/python-environment';
import { until } from '../support/until';
import type { Outputs } from './life';

const EMULATOR = path.join(ROOT, 'test/deploy/emulator');

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** The root user of MiniStack's account, whom no policy restricts. MiniStack checks its key only, so other users must not know it. */
const ROOT_USER = {
  accessKeyId: randomBytes(16).toString('hex'),
  secretAccessKey: randomBytes(16).toString('hex'),
};

const CDK_MS = 300_000;

const run = promisify(execFile);

/** A client of the state machine or the function with this ARN. */
export type Client = (arn: string) => SlicedInferenceClient;

export class Cloud {
  private readonly s3: S3Client;
  private readonly clients: { destroy(): void }[] = [];

  private constructor(
    private readonly ministack: ChildProcess,
    private readonly folder: string,
    readonly endpoint: string,
    /** Of its certificate, as PEM. */
    readonly authority: string,
    /** Variables with which CDK calls it. */
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    this.s3 = this.awsClients(() => Promise.resolve(ROOT_USER)).s3;
  }

  /** Starts MiniStack and bootstraps its account. @param folder for all that it writes */
  static async start(folder: string): Promise<Cloud | undefined> {
    const python = await pythonWith('ministack', [
      { file: path.join(EMULATOR, 'ministack.txt'), options: ['--no-deps', '--require-hashes'] },
      { file: path.join(EMULATOR, 'requirements.txt') },
    ]);
    if (python === undefined) return undefined;
    const place = (name: string): string => path.join(folder, name);
    const { authority, certificate, privateKey } = makeServerCertificate();
    const files = { 'ca.pem': authority, 'server.pem': certificate, 'server.key': privateKey };
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(place(name), text, { mode: 0o600 });
    for (const name of ['tmp', 'sdk']) fs.mkdirSync(place(name));
    // Lambda's runtime has the AWS SDK, and nothing else of this repository.
    fs.symlinkSync(path.join(ROOT, 'node_modules/@aws-sdk'), place('sdk/@aws-sdk'), 'dir');
    const port = await freePort();
    const common = {
      PATH: process.env.PATH,
      TMPDIR: place('tmp'),
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...{ NODE_EXTRA_CA_CERTS: place('ca.pem'), AWS_CA_BUNDLE: place('ca.pem') },
      AWS_ACCESS_KEY_ID: ROOT_USER.accessKeyId,
    };
    const env = {
      ...common,
      ...{ END_WITH_STDIN: '1', AUTH: 'true', USE_SSL: '1' },
      ...{ BIND_HOST: '127.0.0.1', GATEWAY_PORT: port, LOG_LEVEL: 'WARNING' },
      ...{ MINISTACK_SSL_CERT: place('server.pem'), MINISTACK_SSL_KEY: place('server.key') },
      ...{ SSL_CERT_FILE: place('ca.pem'), NODE_PATH: place('sdk') },
    };
    // It ends its process group with its standard input, however this process ends.
    const ministack = spawn(python, [path.join(EMULATOR, 'emulator.py')], {
      ...{ env, detached: true, stdio: ['pipe', 'inherit', 'inherit'] },
    });
    const endpoint = `https://127.0.0.1:${port}`;
    const cloud = new Cloud(ministack, folder, endpoint, authority, {
      ...common,
      AWS_SECRET_ACCESS_KEY: ROOT_USER.secretAccessKey,
      ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION },
      ...{ AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
      // Settings of the user are not those of the check.
      ...{ AWS_CONFIG_FILE: place('config'), AWS_SHARED_CREDENTIALS_FILE: place('credentials') },
      ...{ HOME: process.env.HOME, CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DISABLE_VERSION_CHECK: '1' },
    });
    await until('MiniStack answers', () =>
      cloud.s3.send(new ListBucketsCommand({})).then(
        () => true,
        () => false,
      ),
    );
    await cloud.cdk(folder, 'bootstrap', `aws://${ACCOUNT}/${REGION}`);
    return cloud;
  }

  /** Calls state machines and functions in a role that the root user assumes. */
  clientOf(roleArn: string): Client {
    const credentials = this.credentialsOf(roleArn);
    const clients = this.awsClients(credentials);
    return (stateMachineArn) => new SlicedInferenceClient({ stateMachineArn, ...clients });
  }

  /** POSTs JSON to a function's URL, as the role. Returns the status and the JSON of the answer. */
  async post(
    functionUrl: string,
    roleArn: string,
    body: unknown,
  ): Promise<[status: number, answer: unknown]> {
    // MiniStack serves URLs below its own.
    const [id] = new URL(functionUrl).hostname.split('.');
    const { hostname, port } = new URL(this.endpoint);
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', host: `${hostname}:${port}` };
    const credentials = this.credentialsOf(roleArn);
    const signer = new SignatureV4({
      credentials,
      region: REGION,
      service: 'lambda',
      sha256: Hash.bind(null, 'sha256'),
    });
    const unsigned = {
      method: 'POST',
      protocol: 'https:',
      hostname,
      port: Number(port),
      headers,
      body: text,
    };
    const signed = await signer.sign({ ...unsigned, path: `/_aws/lambda-url/${id}/` });
    const request = https.request({ ...signed, ca: this.authority }).end(text);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return [response.statusCode ?? 0, await json(response)];
  }

  private credentialsOf(roleArn: string): ReturnType<typeof defaultProvider> {
    const folder = fs.mkdtempSync(path.join(this.folder, 'role-'));
    const configFilepath = path.join(folder, 'config');
    const { accessKeyId, secretAccessKey } = ROOT_USER;
    const root = `[profile root]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    const role = `[profile role]\nrole_arn = ${roleArn}\nsource_profile = root\n`;
    fs.writeFileSync(configFilepath, root + role);
    return defaultProvider({ profile: 'role', configFilepath, clientConfig: this.settings() });
  }

  async deploy(stack: string, folder: string): Promise<Outputs> {
    const file = path.join(folder, 'outputs.json');
    const options = ['--require-approval', 'never', '--outputs-file', file];
    await this.cdk(folder, 'deploy', stack, '--app', folder, ...options);
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Outputs>)[stack];
  }

  async destroy(stack: string, folder: string): Promise<void> {
    await this.cdk(folder, 'destroy', stack, '--app', folder, '--force');
  }

  end(): void {
    for (const client of this.clients) client.destroy();
    this.ministack.stdin?.end();
  }

  private settings() {
    const requestHandler = { httpsAgent: { ca: this.authority } };
    return { endpoint: this.endpoint, region: REGION, requestHandler };
  }

  private awsClients(credentials: ReturnType<typeof defaultProvider>) {
    const settings = { ...this.settings(), credentials };
    const s3 = new S3Client({ ...settings, forcePathStyle: true });
    const stepFunctions = new SFNClient({ ...settings, disableHostPrefix: true });
    const lambda = new LambdaClient(settings);
    this.clients.push(s3, stepFunctions, lambda);
    return { s3, stepFunctions, lambda };
  }

  private async cdk(cwd: string, ...args: readonly string[]): Promise<void> {
    const program = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const options = { cwd, env: this.environment, timeout: CDK_MS };
    await run(process.execPath, [program, ...args, '--no-notices'], options);
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
