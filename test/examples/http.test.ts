/** The example of an HTTP API, called as its README says. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { signedHeaders } from '../../examples/http/sign';
import { decodeInlineTensor, type ExecutionOutput } from '../../client';
import { CopiedExample, type Outcome } from '../support/copied-example';
import { serve, type Served } from '../support/example';
import { type HttpsAnswer, request } from '../support/https-request';
import { pixelsOf } from '../support/digits-model';
import { runWhole } from '../support/run-slices';
import { temporaryFolder } from '../support/temporary-folder';
import { float32 } from '../support/tensors';
import { ISSUER, KEY_SET, token } from '../support/tokens';

const SIX = '..##. .#... #.... ####. #...# #...# .###.';

const example = new CopiedExample('http');

const hasCurl = spawnSync('curl', ['--version']).status === 0;

function call(env: NodeJS.ProcessEnv, drawing: string, more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return example.outcome('call', [drawing], { ...env, ...more });
}

/** A request that is not signed. */
function post(env: NodeJS.ProcessEnv, options: Parameters<typeof request>[2]): Promise<HttpsAnswer> {
  const { HTTP_ENDPOINT = '', AWS_CA_BUNDLE = '' } = env;
  return request(`${HTTP_ENDPOINT}/digits`, fs.readFileSync(AWS_CA_BUNDLE, 'utf8'), options);
}

function signing({ AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' }: NodeJS.ProcessEnv) {
  return { credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } };
}

function requestOf(drawing: string): string {
  const data = pixelsOf(drawing);
  const pixels = { dtype: 'float32', shape: [1, data.length], data };
  return JSON.stringify({ version: 1, inputs: { tensors: { pixels } } });
}

function allowedHeaders({ headers }: HttpsAnswer): string[] | undefined {
  return headers['access-control-allow-headers']?.split(',').sort();
}

/** The names of the headers of a request that the example signs with temporary credentials. */
async function sentHeaders(url: string): Promise<string[]> {
  const credentials = {
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  };
  const replaced = jest.replaceProperty(process, 'env', { ...process.env, ...credentials });
  try {
    return Object.keys(await signedHeaders(url, '{}', 'us-east-1')).sort();
  } finally {
    replaced.restore();
  }
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: object }>>;
}

describe('an HTTP API with signed requests', () => {
  let cloud: Served;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    cloud = await serve(await example.synthesize());
    env = cloud.environment;
  });
  afterAll(async () => {
    const stderr = 'note: the HTTP API refused a request with 403, because of its signature: no signature\n';
    expect(await cloud.stop()).toMatchObject({ stderr, leftovers: [] });
  });

  it('throttles requests and logs them', () => {
    const template = fs.readFileSync(path.join(example.folder, 'cdk.out/Http.template.json'), 'utf8');
    const { Resources: resources } = JSON.parse(template) as Template;
    const stage = Object.values(resources).find(({ Type }) => Type === 'AWS::ApiGatewayV2::Stage');
    const group = expect.stringMatching(/^AccessLogs/) as string;
    expect(stage?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingBurstLimit: 40, ThrottlingRateLimit: 20 },
      AccessLogSettings: { DestinationArn: { 'Fn::GetAtt': [group, 'Arn'] } },
    });
  });

  it('answers the caller of the README with the digit', async () => {
    const stdout = example.printed(`npx tsx call.ts '${SIX}'`);
    expect(stdout).toMatch(/^6 with/);
    expect(await call(env, SIX)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('returns the bits of the unsliced model', async () => {
    const { status, body } = await post(env, { body: requestOf(SIX), signing: signing(env) });
    expect(status).toBe(200);
    const { outputs } = JSON.parse((body as { output: string }).output) as ExecutionOutput;
    const whole = await runWhole(
      path.join(example.folder, 'digits.onnx'),
      new Map([['pixels', float32([1, 35], pixelsOf(SIX))]]),
    );
    const { probabilities } = outputs.tensors ?? {};
    expect(decodeInlineTensor('probabilities', probabilities)).toEqual(whole.get('probabilities'));
  });

  (hasCurl ? it : it.skip)('answers curl, which signs too', async () => {
    const readme = fs.readFileSync(path.join(example.folder, 'README.md'), 'utf8');
    const command = /^curl [^`]*/m.exec(readme)?.[0] ?? '';
    expect(command).toContain('--aws-sigv4');
    const { stdout } = await example.shell(command, env);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('refuses a request without a signature', async () => {
    const answer = await post(env, { body: requestOf(SIX) });
    expect(answer).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
  });

  it('refuses a request of more than 256 KiB, which is the limit of Step Functions', async () => {
    const body = requestOf(SIX).padEnd(262_145);
    const answer = await post(env, { body, signing: signing(env) });
    expect(answer).toMatchObject({ status: 400, body: { __type: 'ValidationException' } });
  });

  it('answers 200 for a drawing that the pipeline refuses, and the caller explains it', async () => {
    const { status, body } = await post(env, { body: requestOf('#.'), signing: signing(env) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'FAILED', error: 'InvalidInput' });
    const printed = example.printed("npx tsx call.ts '#.'");
    expect(await call(env, '#.')).toEqual({ code: 1, stdout: '', stderr: printed });
  });

  it('shows how to call it without a drawing or the variables of a cloud', async () => {
    expect(await example.outcome('call', [], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: no drawing: run npx tsx call.ts '${SIX}'\n`,
    });
    expect(await call({}, SIX)).toMatchObject({
      code: 1,
      stderr: 'Error: HTTP_ENDPOINT is not set: run `. ./cloud.env`, or set it to an output of the stack\n',
    });
  });

  it('lets pages of one origin ask', async () => {
    const { HTTP_ENDPOINT = '', AWS_CA_BUNDLE = '' } = env;
    const preflight = (origin: string) =>
      request(`${HTTP_ENDPOINT}/digits`, fs.readFileSync(AWS_CA_BUNDLE, 'utf8'), {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.example.com');
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example.com');
    expect(allowedHeaders(allowed)).toEqual(await sentHeaders(`${HTTP_ENDPOINT}/digits`));
    const other = await preflight('https://other.example.com');
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('an HTTP API with tokens', () => {
  let cloud: Served;
  beforeAll(async () => {
    const jwks = path.join(temporaryFolder(), 'keys.json');
    fs.writeFileSync(jwks, JSON.stringify(KEY_SET));
    const assembly = await new CopiedExample('http').synthesize({ issuer: ISSUER, audience: 'digits' });
    cloud = await serve(assembly, ['--jwks', jwks]);
  });
  afterAll(async () => {
    await cloud.stop();
  });

  it('accepts a token for its audience', async () => {
    const { code, stdout } = await call(cloud.environment, SIX, { TOKEN: token({ aud: 'digits' }) });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^6 with/) as string });
  });

  it.each([
    ['for another audience', () => token({ aud: 'others' })],
    ['of another issuer', () => token({ aud: 'digits', iss: 'https://other.example' })],
    ['that has expired', () => token({ aud: 'digits', exp: 1 })],
    ['with a forged signature', () => `${token({ aud: 'digits' }).slice(0, -8)}AAAAAAAA`],
  ])('refuses a token %s', async (_, forge) => {
    expect(await call(cloud.environment, SIX, { TOKEN: forge() })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: HTTP 401: {"message":"Unauthorized"}\n',
    });
  });
});
