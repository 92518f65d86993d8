/** A directory bucket's session is fetched before the write that needs it. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { functionAgents } from '../../../lambda/store/connections';
import { functionObjects } from '../../../lambda/store/s3-client';

const BUCKET = 'fast--use1-az5--x-s3';
const ENVIRONMENT = { ...process.env };
const LIMITS = { connect: 2_000, silence: 2_000, answer: 5_000, retry: 0 };
const SESSION = `<?xml version="1.0"?><CreateSessionResult><Credentials><AccessKeyId>id</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`;

const asked: string[] = [];
let connections = 0;
/** What CreateSession answers. */
let session: { status: number; body: string } | 'nothing';

const server = http.createServer((request, response) => {
  const isSession = request.url?.includes('?session') ?? false;
  asked.push(isSession ? 'CreateSession' : (request.method ?? ''));
  request.resume();
  if (!isSession) response.writeHead(200, { ETag: '"e"' }).end();
  else if (session !== 'nothing') response.writeHead(session.status).end(session.body);
});
server.on('connection', () => connections++);

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
});

beforeEach(() => {
  asked.length = 0;
  connections = 0;
  session = { status: 200, body: SESSION };
});

afterAll(async () => {
  process.env = ENVIRONMENT;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

function client(limits = LIMITS) {
  const agents = functionAgents();
  const objects = functionObjects({ agents, limits });
  const write = () => objects.putIfAbsent({ bucket: BUCKET, key: 'k' }, [Buffer.from('x')], 0x8cdc1683);
  return { agents, objects, write };
}

test('preparing the connection gets the session, and the write uses both', async () => {
  const { agents, objects, write } = client();
  await objects.prepareConnection(BUCKET);
  expect(asked).toEqual(['CreateSession']);
  expect(await write()).toBe('written');
  expect(asked).toEqual(['CreateSession', 'PUT']);
  expect(connections).toBe(1);
  agents.closeIdle();
});

test('a session that is there is not asked for again', async () => {
  const { agents, objects, write } = client();
  await write();
  agents.closeIdle();
  await objects.prepareConnection(BUCKET);
  expect(asked).toEqual(['CreateSession', 'PUT']);
  expect(connections).toBe(2);
  objects.closePrepared();
});

test('a refused session is asked for again by the write, which reports it', async () => {
  session = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
  const { agents, objects, write } = client();
  await expect(objects.prepareConnection(BUCKET)).resolves.toBeUndefined();
  await expect(write()).rejects.toThrow('cannot be written: check the permissions');
  expect(asked).toEqual(['CreateSession', 'CreateSession']);
  agents.closeIdle();
});

test('a session that does not arrive delays neither this call nor the next one', async () => {
  session = 'nothing';
  const { agents, objects, write } = client({ ...LIMITS, silence: 600_000, answer: 600_000 });
  await expect(objects.prepareConnection(BUCKET)).resolves.toBeUndefined();
  // The end of the call.
  objects.closePrepared();
  session = { status: 200, body: SESSION };
  expect(await write()).toBe('written');
  expect(asked).toEqual(['CreateSession', 'CreateSession', 'PUT']);
  agents.closeIdle();
  server.closeAllConnections();
}, 60_000);
