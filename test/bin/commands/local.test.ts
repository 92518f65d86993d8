import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StartSyncExecutionCommand,
} from '@aws-sdk/client-sfn';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { functionAssembly } from '../../support/function-stack';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { synthesize } from '../../support/pipeline-assembly';
import { refuse } from '../../support/run-cli';
import { serve } from '../../support/served-stack';
import { request } from '../../support/signed-request';
import { float32 } from '../../support/tensors';
import { until } from '../../support/until';

type Environment = Readonly<Record<string, string>>;

const INPUT = JSON.stringify({ version: 1, inputs: { s3: 'inputs/x.safetensors' } });
const TENSORS = encodeSafetensors(new Map([['x', float32([2, 16])]]));

let standard: string;
let express: string;
beforeAll(() => {
  const pipeline = { modelPath: saveModel(mlp(3)), slices: 2 };
  standard = synthesize({ Std: { ...pipeline, stateMachineType: sfn.StateMachineType.STANDARD } });
  express = synthesize({ Exp: { ...pipeline, stateMachineType: sfn.StateMachineType.EXPRESS } });
});

/** Evaluates what the command printed in a shell, and returns the variables that it changed. */
function evaluate(text: string, before: Environment = {}): Environment {
  const output = execFileSync('sh', ['-c', `${text}\nenv -0`], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'mine', ...before },
  });
  const entries = output.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return Object.fromEntries(entries);
}

/** Clients of the unmodified SDK that take everything from the environment. */
async function withClients<T>(
  environment: Environment,
  work: (clients: { readonly s3: S3Client; readonly sfn: SFNClient }) => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  // Node.js reads NODE_EXTRA_CA_CERTS only when it starts.
  const httpsAgent = new https.Agent({ ca: fs.readFileSync(environment.NODE_EXTRA_CA_CERTS) });
  const requestHandler = { httpsAgent };
  const clients = {
    s3: new S3Client({ requestHandler }),
    sfn: new SFNClient({ disableHostPrefix: true, requestHandler }),
  };
  try {
    return await work(clients);
  } finally {
    process.env = before;
    for (const client of Object.values(clients)) client.destroy();
  }
}

describe('local', () => {
  it('serves a Standard pipeline to the SDK, from the variables that it prints, on the port of the user', async () => {
    const port = await freePorts();
    const serving = await serve([standard, '--port', String(port)]);
    const environment = evaluate(serving.text, { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true', no_proxy: '' });
    const { STATE_MACHINE_ARN: stateMachineArn, BUCKET: Bucket } = environment;
    expect(environment).toMatchObject({
      AWS_REGION: 'us-east-1',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
      AWS_ENDPOINT_URL_S3: expect.stringMatching(`:${port}$`) as string,
      AWS_ENDPOINT_URL_SFN: expect.stringMatching(`:${port + 1}$`) as string,
    });
    expect(environment).not.toHaveProperty('AWS_PROFILE');
    expect(environment).not.toHaveProperty('AWS_SESSION_TOKEN');
    await withClients(environment, async ({ s3, sfn: stepFunctions }) => {
      await s3.send(new PutObjectCommand({ Bucket, Key: 'inputs/x.safetensors', Body: TENSORS }));
      const { executionArn } = await stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn, input: INPUT }),
      );
      const { status, output = '' } = await until('the end of the execution', async () => {
        const description = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
        return description.status !== 'RUNNING' && description;
      });
      expect(status).toBe('SUCCEEDED');
      expect(JSON.parse(output)).toMatchObject({ version: 1, outputs: { s3: { bucket: Bucket } } });
    });
    expect(await serving.stop('SIGHUP')).toMatchObject({
      code: null,
      signal: 'SIGHUP',
      stderr: '',
      leftovers: [],
    });
  });

  it('serves an Express pipeline, prints JSON, and writes logs and faults to standard error', async () => {
    const serving = await serve([express, '--json', '--logs', '--faults', 'duplicate-delivery:1']);
    const { environment, ...pipeline } = JSON.parse(serving.text) as {
      environment: Environment;
      stateMachineArn: string;
      bucket: string;
    };
    expect(pipeline).toMatchObject({ stackName: 'Exp', stateMachineType: 'EXPRESS' });
    const { stateMachineArn, bucket: Bucket } = pipeline;
    await withClients(environment, async ({ s3, sfn: stepFunctions }) => {
      await s3.send(new PutObjectCommand({ Bucket, Key: 'inputs/x.safetensors', Body: TENSORS }));
      const started = new StartSyncExecutionCommand({ stateMachineArn, input: INPUT });
      expect(await stepFunctions.send(started)).toMatchObject({ status: 'SUCCEEDED' });
    });
    const { stderr, ...end } = await serving.stop('SIGTERM');
    expect(end).toMatchObject({ code: null, signal: 'SIGTERM', leftovers: [] });
    // Each line of a log names its function.
    expect(stderr).toMatch(/^Exp-\w+: /m);
    expect(stderr).toMatch(/^fault: duplicate-delivery at \S+$/m);
    expect(stderr).toMatch(/^faults: \d+ duplicate-delivery$/m);
  });

  it('writes the variables into a file, which names the process that serves and exists until its end', async () => {
    const file = path.join(temporaryFolder(), 'cloud.env');
    const serving = await serve([standard, '--write-env', file]);
    const text = fs.readFileSync(file, 'utf8');
    expect(serving.text).toBe(
      `the pipeline in Std is ready: evaluate ${file} in a shell; cloud_down ends it\n`,
    );
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(evaluate(text).STATE_MACHINE_ARN).toMatch(/^arn:aws:states:/);
    const [, pid] = /\n# process (\d+)\n$/.exec(text) ?? [];
    process.kill(Number(pid), 'SIGTERM');
    expect(await serving.stop()).toMatchObject({ stderr: '', leftovers: [] });
    expect(fs.existsSync(file)).toBe(false);
    // Node.js would warn of a certificate that is gone.
    expect(spawnSync(process.execPath, ['-e', ''], { env: evaluate(text), encoding: 'utf8' }).stderr).toBe(
      '',
    );
  });

  it('ends with cloud_down, which leaves nothing in the shell', async () => {
    const file = path.join(temporaryFolder(), "user's cloud.env");
    const serving = await serve([express, '--write-env', file]);
    // The stack has no HTTP API; one whose file the shell evaluates before may have one.
    const own = { BUCKET: "it's $mine", AWS_CA_BUNDLE: '', HTTP_ENDPOINT: 'mine' };
    const text = fs.readFileSync(file, 'utf8');
    expect(evaluate(text, own)).not.toHaveProperty('HTTP_ENDPOINT');
    expect(evaluate(`${text}export HTTP_ENDPOINT=x\n${text}cloud_down`, own)).toEqual(evaluate('', own));
    expect(await serving.stop()).toMatchObject({ stderr: '', leftovers: [] });
    // Its process has ended, and another one may have its number.
    expect(evaluate(`kill() { BUCKET=killed; }\n${text}cloud_down`, own)).toEqual(evaluate('', own));
    // As `kill -9` leaves it.
    fs.writeFileSync(file, text);
    expect(evaluate(`exec 2>&1\n${text}cloud_down`, own)).toEqual(evaluate('', own));
    expect(fs.existsSync(file)).toBe(false);
  });

  it('serves the URL of a function on the port after that of the HTTP API, and names it', async () => {
    const port = await freePorts();
    const assembly = functionAssembly({ functionUrl: true });
    const serving = await serve([assembly, '--port', String(port)]);
    const { FUNCTION_URL: url, NODE_EXTRA_CA_CERTS: authority } = evaluate(serving.text);
    expect(url).toBe(`https://127.0.0.1:${port + 3}/`);
    const answer = await request(url, fs.readFileSync(authority, 'utf8'));
    expect(answer).toMatchObject({ status: 403, body: { Message: 'Forbidden' } });
    const { stderr } = await serving.stop('SIGTERM');
    expect(stderr).toContain('refused a request with 403: its signature has no signature');
    const inJson = await serve([assembly, '--json']);
    expect(JSON.parse(inJson.text)).toHaveProperty('functionUrl');
    await inJson.stop('SIGTERM');
  });

  it('writes for PowerShell on request, and ends at once on a second signal', async () => {
    const serving = await serve([standard, '--shell', 'powershell']);
    expect(serving.text).toMatch(/^\$env:AWS_ENDPOINT_URL_SFN = 'https:\/\/127\.0\.0\.1:\d+'$/m);
    expect(await serving.stop('SIGINT', 'SIGINT')).toMatchObject({ signal: 'SIGINT', leftovers: [] });
  });
});

/** The first of four adjacent ports that were free a moment ago. They lie below those that systems give to other programs meanwhile. */
async function freePorts(): Promise<number> {
  return await until('four free ports', async () => {
    const port = randomInt(15_000, 32_000);
    const servers = Array.from({ length: 4 }, () => http.createServer());
    const taken = await Promise.allSettled(servers.map((server, index) => listen(server, port + index)));
    await Promise.all(servers.filter(({ listening }) => listening).map(closeServer));
    return taken.every(({ status }) => status === 'fulfilled') && port;
  });
}

test('local refuses a port that is none, and one that is in use', async () => {
  for (const port of ['0', '65535', '1.5'])
    expect(await refuse(['local', standard, `--port=${port}`])).toContain(
      `argument '${port}' is invalid. It must be a whole number from 1 to 65532.`,
    );
  const server = http.createServer();
  const port = await listen(server);
  expect(await refuse(['local', standard, '--port', String(port)])).toBe(
    `port ${port} of 127.0.0.1 must be free, got EADDRINUSE: choose another port`,
  );
  await closeServer(server);
});
