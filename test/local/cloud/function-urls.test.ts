/** The URLs of functions, as their callers see them: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type InferenceFunction, InferenceHandler } from '../../../lib';
import type { Json, JsonObject, LocalCloud } from '../../../local';
import { start } from '../../support/deployed-pipeline';
import { addFunction, functionAssembly } from '../../support/function-stack';
import { send, signedHeaders, type Signing } from '../../support/signed-request';
import { temporaryFolder } from '../../support/temporary-folder';

const { NONE, AWS_IAM } = lambda.FunctionUrlAuthType;

/** Throws what the caller is to get: its own event, its credentials, or the answer that the body has. */
const ECHO = `exports.handler = (event) => {
  const own = event.rawPath === '/exit' ? process.exit(1) : event;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  const keys = { accessKeyId, secretAccessKey, sessionToken: process.env.AWS_SESSION_TOKEN };
  throw Object.assign(new Error('echo'), { statusCode: 418, body: event.rawPath === '/keys' ? keys : own });
};`;

function echo(): InferenceHandler {
  const file = path.join(temporaryFolder(), 'index.js');
  fs.writeFileSync(file, ECHO);
  return InferenceHandler.fromFolder(path.dirname(file));
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signing?: Signing;
}

/** The alias of the function `Classify`, in the template's placeholders for account and region. */
const CLASSIFY = 'arn:aws:lambda:us-east-1:000000000000:function:Stack-ClassifyModelFunction*:live';

/** @param url by default the only one */
async function ask(
  cloud: LocalCloud,
  { path: route = '/', method = 'POST', headers = {}, body, signing }: Sent = {},
  url = [...cloud.functionUrls.values()][0],
) {
  const { host, origin } = new URL(url);
  const sent = { method, path: route, host, headers, ...(body !== undefined && { body }) };
  const all = signing ? await signedHeaders(sent, { service: 'lambda', ...signing }) : { host, ...headers };
  const answer = await send(origin, sent, all, cloud.s3.certificateAuthority.pem);
  return { ...answer, json: JSON.parse(answer.body) as Json };
}

describe('a URL for everybody', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await start(
      functionAssembly({ preprocess: echo() }, (fn) => fn.alias.addFunctionUrl({ authType: NONE })),
    );
  });

  it('is an HTTPS URL with a slash at its end, by the ARN of the alias', () => {
    const [[arn, url]] = cloud.functionUrls;
    expect(arn).toBe(cloud.pipeline.stateMachineArn);
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
  });

  it('gives the function an event of the format 2.0, and the caller its status and body', async () => {
    const headers = { 'content-type': 'application/json', 'X-Two': 'a', cookie: 'one=1; two=2' };
    const {
      status,
      json,
      headers: got,
    } = await ask(cloud, {
      ...{ path: '/a%20b/c?x=1&y=&x=2', headers, body: '{"é":1}' },
    });
    expect(status).toBe(418);
    expect(got).toMatchObject({ 'content-type': 'application/json' });
    // The fields are those of AWS's documentation.
    expect(json).toEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a%20b/c',
      rawQueryString: 'x=1&y=&x=2',
      cookies: ['one=1', 'two=2'],
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'x-two': 'a',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'https',
      }) as object,
      queryStringParameters: { x: '1,2', y: '' },
      requestContext: {
        accountId: 'anonymous',
        apiId: 'local',
        domainName: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        domainPrefix: '127',
        http: {
          ...{ method: 'POST', path: '/a%20b/c', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
          userAgent: '',
        },
        requestId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
        routeKey: '$default',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/) as string,
        timeEpoch: expect.any(Number) as number,
      },
      body: '{"é":1}',
      isBase64Encoded: false,
    });
    expect(json).not.toHaveProperty('headers.cookie');
  });

  it.each([
    ['image/png', Buffer.from([0xff, 0x00]), '/wA=', true],
    ['application/x-www-form-urlencoded', 'a=b', 'YT1i', true],
    ['application/vnd.api+json; charset=utf-8', '{}', '{}', false],
    ['text/plain', 'a', 'a', false],
  ])('passes a body of the type %s', async (type, body, expected, isBase64Encoded) => {
    const { json } = await ask(cloud, { headers: { 'content-type': type }, body });
    expect(json).toMatchObject({ body: expected, isBase64Encoded });
  });

  it('passes a request without a body and a query', async () => {
    const { json } = await ask(cloud, { method: 'GET', path: '/' });
    expect(json).toMatchObject({ rawQueryString: '', isBase64Encoded: false });
    for (const name of ['body', 'cookies', 'queryStringParameters']) expect(json).not.toHaveProperty(name);
  });

  it('answers 413 for more than 6 MB, also with the JSON around the body', async () => {
    for (const size of [6_291_457, 6_291_400]) {
      const headers = { 'content-type': 'text/plain' };
      const answer = await ask(cloud, { headers, body: Buffer.alloc(size, 'a') });
      expect(answer.status).toBe(413);
    }
  });

  it('answers 403 for a request to another host, as a web page would send it', async () => {
    expect(await ask(cloud, { headers: { host: 'page.example' } })).toMatchObject({
      status: 403,
      json: { Message: 'Forbidden' },
    });
  });

  it('answers 502 if the function ends', async () => {
    const answer = await ask(cloud, { path: '/exit' });
    expect(answer).toMatchObject({ status: 502, json: { Message: 'Internal Server Error' } });
  });

  it.each([
    ['throttled', 429],
    ['lost-result', 500],
  ] as const)('answers the fault %s with %i', async (kind, status) => {
    cloud.injectFaults({ seed: 0, rates: { [kind]: 1 } });
    const answer = await ask(cloud);
    cloud.injectFaults(undefined);
    expect(answer.status).toBe(status);
    expect((answer.json as JsonObject).Message).not.toBe('');
  });
});

describe('a URL for callers with a signature', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    const folder = functionAssembly({ preprocess: echo(), functionUrl: true }, (fn) => {
      const stack = fn.node.scope as Stack;
      // Functions that call it. They have URLs for everybody, which tell their credentials.
      const add = (id: string, actions: readonly string[]) => {
        const caller = addFunction(stack, { preprocess: echo() }, id);
        caller.alias.addFunctionUrl({ authType: NONE });
        const statement = new iam.PolicyStatement({ actions: [...actions], resources: [CLASSIFY] });
        caller.function.addToRolePolicy(statement);
      };
      add('Both', ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction']);
      add('UrlAlone', ['lambda:InvokeFunctionUrl']);
      add('FunctionAlone', ['lambda:InvokeFunction']);
    });
    cloud = await start(folder, { pipeline: 'Classify' });
  });

  const urlOf = (name: string): string => {
    const found = [...cloud.functionUrls].find(([arn]) => arn.includes(name));
    return found?.[1] ?? '';
  };
  const askOwn = (sent: Sent) => ask(cloud, sent, urlOf('ClassifyModelFunction'));

  it('lets a signed request of a permitted caller pass, and tells the function the ARN of the caller', async () => {
    const { credentials } = cloud.s3;
    const headers = { 'content-type': 'application/json' };
    const answer = await askOwn({ headers, body: '{"a":1}', path: '/b?c=d', signing: { credentials } });
    expect(answer).toMatchObject({
      status: 418,
      json: {
        body: '{"a":1}',
        requestContext: {
          accountId: '000000000000',
          authorizer: { iam: { userArn: 'arn:aws:iam::000000000000:user/administrator' } },
        },
      },
    });
  });

  it('forbids requests without a signature, and with a wrong one, and notes why', async () => {
    const { credentials } = cloud.s3;
    const others = [
      undefined,
      { credentials, service: 'execute-api' },
      { credentials, region: 'eu-west-1' },
      { credentials: { ...credentials, secretAccessKey: 'wrong' } },
    ];
    for (const signing of others) {
      const answer = await askOwn(signing === undefined ? {} : { signing });
      expect(answer).toMatchObject({ status: 403, json: { Message: 'Forbidden' } });
    }
    const notices = cloud.notices().filter((notice) => notice.includes('refused a request with 403'));
    expect(notices.map((notice) => notice.replace(/^.*403: /, ''))).toEqual([
      'its signature has no signature',
      'its signature has wrong service',
      'its signature has wrong region',
      'its signature has no match',
    ]);
  });

  it('demands both permissions, as AWS does since October 2025', async () => {
    const status = async (name: string) => {
      const { json } = await ask(cloud, { path: '/keys' }, urlOf(`${name}ModelFunction`));
      const credentials = json as unknown as Signing['credentials'];
      return (await askOwn({ signing: { credentials } })).status;
    };
    expect(await status('Both')).toBe(418);
    expect(await status('UrlAlone')).toBe(403);
    expect(await status('FunctionAlone')).toBe(403);
  });
});

const permissionsOf = (fn: InferenceFunction) =>
  fn.node.findAll().filter((node) => node instanceof lambda.CfnPermission);

it.each<[string, (permission: lambda.CfnPermission) => void]>([
  ['lack one of the two permissions', (permission) => (permission.action = 'lambda:GetFunction')],
  ['are for another function', (permission) => (permission.functionName = 'other:live')],
  ['are for signed requests', (permission) => (permission.functionUrlAuthType = 'AWS_IAM')],
  ['are for another account', (permission) => (permission.principal = '111111111111')],
  ['are for an organization', (permission) => (permission.principalOrgId = 'o-1')],
  ['are for a source', (permission) => (permission.sourceAccount = '000000000000')],
  ['are for a service', (permission) => (permission.principal = 'events.amazonaws.com')],
])('forbids everybody what the template does not allow: permissions that %s', async (_, change) => {
  const folder = functionAssembly({}, (fn) => {
    fn.alias.addFunctionUrl({ authType: NONE });
    const [first] = permissionsOf(fn);
    change(first);
  });
  const cloud = await start(folder);
  expect(await ask(cloud)).toMatchObject({ status: 403, json: { Message: 'Forbidden' } });
  expect(cloud.notices().join('\n')).toContain(
    'User: anonymous is not authorized to perform: lambda:InvokeFunctionUrl on resource: arn:aws:lambda:',
  );
});

it('keeps the URL of a function over deployments, and forbids requests when it is gone', async () => {
  const withUrl = functionAssembly({ preprocess: echo() }, (fn) =>
    fn.alias.addFunctionUrl({ authType: NONE }),
  );
  const cloud = await start(withUrl);
  const urls = [...cloud.functionUrls.values()];
  await cloud.deploy(withUrl);
  expect([...cloud.functionUrls.values()]).toEqual(urls);
  await cloud.deploy(functionAssembly({ preprocess: echo() }));
  expect([...cloud.functionUrls]).toEqual([]);
  expect(await ask(cloud, {}, urls[0])).toMatchObject({ status: 403 });
});

it('names the URLs that it does not serve', async () => {
  const folder = functionAssembly({}, (fn) => {
    fn.alias.addFunctionUrl({ authType: AWS_IAM, invokeMode: lambda.InvokeMode.RESPONSE_STREAM });
    fn.function.addFunctionUrl({ authType: AWS_IAM });
  });
  const cloud = await start(folder);
  expect(cloud.functionUrls.size).toBe(0);
  const notices = cloud.notices().filter((notice) => notice.startsWith('a URL is not served: '));
  expect(notices).toEqual([
    expect.stringContaining('the InvokeMode "RESPONSE_STREAM" of AWS::Lambda::Url'),
    expect.stringContaining('which is not of the alias of an InferenceFunction'),
  ]);
});
