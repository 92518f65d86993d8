/** Connections and sessions that are there before a request needs them, from servers that answer, refuse and hang. */
import { once } from 'node:events';
import * as net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { functionAgents } from '../../../lambda/store/connections';
import { functionObjects } from '../../../lambda/store/s3-client';
import { answeringServer, PROTOCOLS, useS3 } from '../../support/answering-server';
import { until } from '../../support/until';

const LIMITS = { connect: 2_000, silence: 2_000, answer: 5_000, retry: 0 };
const opened: { httpAgent: { destroy(): void }; httpsAgent: { destroy(): void } }[] = [];
afterEach(() => {
  for (const { httpAgent, httpsAgent } of opened.splice(0)) {
    httpAgent.destroy();
    httpsAgent.destroy();
  }
});

function client(bucket: string, ca?: string) {
  const agents = functionAgents({ ca });
  opened.push(agents);
  const objects = functionObjects({ agents, limits: LIMITS });
  const write = () => objects.write({ bucket, key: 'k' }, [Buffer.from('x')], 0x8cdc1683);
  return { agents, write, prepare: () => objects.prepareConnection(bucket) };
}

describe.each(PROTOCOLS)('a prepared connection over %s', (protocol) => {
  const server = answeringServer(protocol, (_, response) => response.writeHead(200, { ETag: '"e"' }).end());

  it('is open when the promise resolves, has sent no request, and serves the next one', async () => {
    const { agents, prepare, write } = client('b', server.ca);
    // Opened once, however often it is prepared, and not closed with the connections that have served.
    await Promise.all([prepare(), prepare()]);
    agents.closeIdle();
    await prepare();
    expect(server.connections).toHaveLength(1);
    expect(server.requests).toHaveLength(0);
    expect(await write()).toBe(true);
    // Not opened if a connection is idle.
    await prepare();
    expect(server.connections).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
    agents.closeIdle();
    await setImmediate();
    await prepare();
    expect(server.connections).toHaveLength(2);
  });

  it('never fails a call if the server refuses it or is silent, or the bucket has no endpoint', async () => {
    const { agents, write } = client('b', server.ca);
    const silent = net.createServer((socket) => socket.on('error', () => undefined).resume());
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const origin = new URL(`${protocol}://127.0.0.1:${(silent.address() as net.AddressInfo).port}`);
    await agents.prepare(origin);
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
    await new Promise((resolve) => silent.close(resolve));
    await agents.prepare(origin);
    await agents.prepare(new URL(server.endpoint));
    expect(await write()).toBe(true);
    useS3('ftp//nowhere');
    await expect(client('b').prepare()).resolves.toBeUndefined();
  });
});

describe('the session of a directory bucket', () => {
  const BUCKET = 'fast--use1-az5--x-s3';
  const SESSION = `<?xml version="1.0"?><CreateSessionResult><Credentials><AccessKeyId>id</AccessKeyId>
    <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
    <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`;

  /** What CreateSession answers. */
  let session = { status: 200, body: SESSION };
  beforeEach(() => (session = { status: 200, body: SESSION }));
  const isSession = (url = '') => url.includes('?session');
  const server = answeringServer('http', ({ url }, response) => {
    if (isSession(url)) response.writeHead(session.status).end(session.body);
    else response.writeHead(200, { ETag: '"e"' }).end();
  });
  const asked = () => server.requests.map(({ url, method }) => (isSession(url) ? 'CreateSession' : method));

  it('is fetched once when the connection is prepared, and the write uses both', async () => {
    const { agents, prepare, write } = client(BUCKET);
    await prepare();
    // A preparation that takes too long goes on behind the call.
    await until('a session is asked for', () => asked().length > 0);
    expect(asked()).toEqual(['CreateSession']);
    expect(await write()).toBe(true);
    expect(server.connections).toHaveLength(1);
    agents.closeIdle();
    await setImmediate();
    await prepare();
    expect(asked()).toEqual(['CreateSession', 'PUT']);
    expect(server.connections).toHaveLength(2);
  });

  it('is asked for again by the write if it was refused, which the write reports', async () => {
    session = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
    const { prepare, write } = client(BUCKET);
    await expect(prepare()).resolves.toBeUndefined();
    await expect(write()).rejects.toThrow('cannot be written: check the permissions');
    expect(asked()).toEqual(['CreateSession', 'CreateSession']);
  });
});
