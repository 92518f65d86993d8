/** Connections and sessions that are there before a request needs them, from servers that answer, refuse, hang, close and speak too early. */
import { once } from 'node:events';
import * as net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { functionAgents } from '../../../lambda/store/connections';
import { MAX_IDLE_MS } from '../../../lambda/store/limits';
import { functionObjects } from '../../../lambda/store/s3-client';
import { answeringServer, PROTOCOLS, useS3, type AnsweringServer } from '../../support/answering-server';
import { until } from '../../support/until';

const LIMITS = { connect: 2_000, silence: 2_000, answer: 5_000, retry: 0 };
const clients: { closeIdle: () => void; closePrepared: () => void }[] = [];
afterEach(() => {
  jest.restoreAllMocks();
  for (const agents of clients.splice(0)) {
    agents.closeIdle();
    agents.closePrepared();
  }
});

function client(bucket: string, ca?: string, limits = LIMITS) {
  const agents = functionAgents({ ca });
  clients.push(agents);
  const objects = functionObjects({ agents, limits });
  const write = () => objects.putIfAbsent({ bucket, key: 'k' }, [Buffer.from('x')], 0x8cdc1683);
  return { agents, objects, write, prepare: () => objects.prepareConnection(bucket) };
}

const allClosed = ({ connections }: AnsweringServer) =>
  until('the connection is closed', () => connections.every(({ destroyed }) => destroyed));

describe.each(PROTOCOLS)('a prepared connection over %s', (protocol) => {
  const server = answeringServer(protocol, (_, response) => response.writeHead(200, { ETag: '"e"' }).end());

  it('is open when the promise resolves, has sent no request, and serves the next one', async () => {
    const { prepare, write } = client('b', server.ca);
    // Opened once, however often it is prepared.
    await Promise.all([prepare(), prepare()]);
    await prepare();
    expect(server.connections).toHaveLength(1);
    expect(server.requests).toHaveLength(0);
    expect(await write()).toBe('written');
    // Not opened if a connection is idle.
    await prepare();
    expect(server.connections).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });

  it('does not leak if no request takes it, even if it is closed while it opens', async () => {
    const { objects, prepare } = client('b', server.ca);
    await prepare();
    objects.closePrepared();
    await allClosed(server);
    const prepared = prepare();
    while (server.connections.length === 1) await setImmediate();
    objects.closePrepared();
    await prepared;
    await allClosed(server);
    expect(server.requests).toHaveLength(0);
  });

  it('serves a request while it opens', async () => {
    const { objects, prepare, write } = client('b', server.ca);
    // The second time, the SDK knows the endpoint, and the connection begins to open at once.
    await prepare();
    objects.closePrepared();
    server.reset();
    const prepared = prepare();
    expect(await write()).toBe('written');
    await prepared;
    expect(server.connections).toHaveLength(1);
  });

  it('is replaced if the server has closed it', async () => {
    const { prepare, write } = client('b', server.ca);
    await prepare();
    server.connections[0].destroy();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(await write()).toBe('written');
    expect(server.connections).toHaveLength(2);
    expect(server.requests).toHaveLength(1);
  });

  it.each([MAX_IDLE_MS + 1, -60_000])('is replaced after a pause of %d ms', async (elapsedMs) => {
    const { prepare, write } = client('b', server.ca);
    await prepare();
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + elapsedMs);
    expect(await write()).toBe('written');
    expect(server.connections).toHaveLength(2);
  });

  it('never fails a call if the server refuses it, or the bucket has no endpoint', async () => {
    const { agents, write } = client('b', server.ca);
    const refusing = net.createServer().listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as net.AddressInfo;
    await new Promise((resolve) => refusing.close(resolve));
    await agents.prepare(new URL(`${protocol}://127.0.0.1:${port}`));
    await agents.prepare(new URL(server.endpoint));
    expect(await write()).toBe('written');
    useS3('ftp//nowhere');
    await expect(client('b').prepare()).resolves.toBeUndefined();
  });
});

describe('a server that takes connections', () => {
  it.each([
    ['never shakes hands', 'https', () => undefined],
    [
      'speaks without having been asked',
      'http',
      (socket: net.Socket) => socket.write('HTTP/1.1 408 Timeout\r\n\r\n'),
    ],
  ])('and %s delays a call by a bounded time only, and loses its connection', async (_, protocol, act) => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => {
      sockets.push(socket.on('error', () => undefined).resume());
      act(socket);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const agents = functionAgents();
    await agents.prepare(new URL(`${protocol}://127.0.0.1:${(server.address() as net.AddressInfo).port}`));
    // Closed because it spoke, even if nobody closes it.
    if (protocol === 'https') agents.closePrepared();
    await until('the connection is closed', () => sockets.every(({ destroyed }) => destroyed));
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the session of a directory bucket', () => {
  const BUCKET = 'fast--use1-az5--x-s3';
  const SESSION = `<?xml version="1.0"?><CreateSessionResult><Credentials><AccessKeyId>id</AccessKeyId>
    <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
    <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`;

  /** What CreateSession answers. */
  let session: { status: number; body: string } | undefined;
  beforeEach(() => (session = { status: 200, body: SESSION }));
  const isSession = (url = '') => url.includes('?session');
  const server = answeringServer('http', ({ url }, response) => {
    if (!isSession(url)) response.writeHead(200, { ETag: '"e"' }).end();
    else if (session !== undefined) response.writeHead(session.status).end(session.body);
  });
  const asked = () => server.requests.map(({ url, method }) => (isSession(url) ? 'CreateSession' : method));

  it('is fetched when the connection is prepared, and the write uses both', async () => {
    const { prepare, write } = client(BUCKET);
    await prepare();
    expect(asked()).toEqual(['CreateSession']);
    expect(await write()).toBe('written');
    expect(asked()).toEqual(['CreateSession', 'PUT']);
    expect(server.connections).toHaveLength(1);
  });

  it('is not asked for again if it is there', async () => {
    const { agents, prepare, write } = client(BUCKET);
    await write();
    agents.closeIdle();
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

  it('delays neither this call nor the next one if it does not arrive', async () => {
    session = undefined;
    const { objects, prepare, write } = client(BUCKET, undefined, {
      ...LIMITS,
      silence: 600_000,
      answer: 600_000,
    });
    await expect(prepare()).resolves.toBeUndefined();
    // The end of the call.
    objects.closePrepared();
    session = { status: 200, body: SESSION };
    expect(await write()).toBe('written');
    expect(asked()).toEqual(['CreateSession', 'CreateSession', 'PUT']);
  }, 60_000);
});
