/** Connections that are opened before a request needs them, to servers that answer, refuse, hang, close and speak too early. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { functionAgents } from '../../../lambda/store/connections';
import { MAX_IDLE_MS } from '../../../lambda/store/limits';
import { functionObjects } from '../../../lambda/store/s3-client';
import { makeServerCertificate } from '../../../local/tls/certificate';
import { until } from '../../support/until';

const CERTIFICATE = makeServerCertificate();
const ENVIRONMENT = { ...process.env };
const limits = { connect: 2_000, silence: 2_000, answer: 5_000, retry: 0 };

type Answer = http.RequestListener;

const answer: Answer = (request, response) => {
  request.resume();
  response.writeHead(200, { ETag: '"e"' }).end();
};

describe.each([
  { protocol: 'http', start: () => http.createServer(answer) },
  {
    protocol: 'https',
    start: () => https.createServer({ cert: CERTIFICATE.certificate, key: CERTIFICATE.privateKey }, answer),
  },
])('a prepared connection over $protocol', ({ protocol, start }) => {
  let server: http.Server;
  let requests = 0;
  const accepted: net.Socket[] = [];

  beforeAll(async () => {
    server = start();
    server.on('request', () => requests++);
    server.on('connection', (socket: net.Socket) => accepted.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  beforeEach(() => {
    requests = 0;
    accepted.length = 0;
    const { port } = server.address() as net.AddressInfo;
    use(`${protocol}://127.0.0.1:${port}`);
  });

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    process.env = ENVIRONMENT;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  function use(endpoint: string): void {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
  }

  function client() {
    const agents = functionAgents({ ca: CERTIFICATE.authority });
    const objects = functionObjects({ agents, limits });
    const write = () => objects.putIfAbsent({ bucket: 'b', key: 'k' }, [Buffer.from('x')], 0x8cdc1683);
    return { agents, objects, write };
  }

  const isOpen = (socket: net.Socket): boolean => !socket.destroyed;

  it('is open when the promise resolves, has sent no request, and serves the next one', async () => {
    const { agents, objects, write } = client();
    await objects.prepareConnection('b');
    expect(accepted).toHaveLength(1);
    expect(requests).toBe(0);
    expect(await write()).toBe('written');
    expect(accepted).toHaveLength(1);
    expect(requests).toBe(1);
    agents.closeIdle();
  });

  it('is opened once, however often it is prepared', async () => {
    const { objects } = client();
    await Promise.all([objects.prepareConnection('b'), objects.prepareConnection('b')]);
    await objects.prepareConnection('b');
    expect(accepted).toHaveLength(1);
    objects.closePrepared();
  });

  it('is not opened if a connection is idle', async () => {
    const { agents, objects, write } = client();
    await write();
    await objects.prepareConnection('b');
    expect(accepted).toHaveLength(1);
    agents.closeIdle();
  });

  it('does not leak if no request takes it', async () => {
    const { objects } = client();
    await objects.prepareConnection('b');
    objects.closePrepared();
    await until('the connection is closed', () => !accepted.some(isOpen));
    expect(requests).toBe(0);
  });

  it('can be closed while it opens', async () => {
    const { objects } = client();
    const prepared = objects.prepareConnection('b');
    while (accepted.length === 0) await setImmediate();
    objects.closePrepared();
    await prepared;
    await until('the connection is closed', () => !accepted.some(isOpen));
  });

  it('serves a request while it opens', async () => {
    const { agents, objects, write } = client();
    // The second time, the SDK knows the endpoint, and the connection begins to open at once.
    await objects.prepareConnection('b');
    objects.closePrepared();
    accepted.length = 0;
    const prepared = objects.prepareConnection('b');
    expect(await write()).toBe('written');
    await prepared;
    expect(accepted).toHaveLength(1);
    agents.closeIdle();
  });

  it('is replaced if the server has closed it', async () => {
    const { agents, objects, write } = client();
    await objects.prepareConnection('b');
    accepted[0].destroy();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(await write()).toBe('written');
    expect(accepted).toHaveLength(2);
    expect(requests).toBe(1);
    agents.closeIdle();
  });

  it.each([MAX_IDLE_MS + 1, -60_000])('is replaced after a pause of %d ms', async (elapsedMs) => {
    const { agents, objects, write } = client();
    await objects.prepareConnection('b');
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + elapsedMs);
    expect(await write()).toBe('written');
    expect(accepted).toHaveLength(2);
    agents.closeIdle();
  });

  it('never fails a call if the server refuses it', async () => {
    const { objects, agents, write } = client();
    const { port } = server.address() as net.AddressInfo;
    const refusing = net.createServer();
    refusing.listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const closedPort = (refusing.address() as net.AddressInfo).port;
    await new Promise((resolve) => refusing.close(resolve));
    await agents.prepare(new URL(`${protocol}://127.0.0.1:${closedPort}`));
    await agents.prepare(new URL(`${protocol}://127.0.0.1:${port}`));
    expect(await write()).toBe('written');
    objects.closePrepared();
    agents.closeIdle();
  });

  it('never fails a call if the bucket has no endpoint', async () => {
    process.env.AWS_ENDPOINT_URL_S3 = 'ftp//nowhere';
    await expect(client().objects.prepareConnection('b')).resolves.toBeUndefined();
  });
});

describe('a server that takes connections', () => {
  async function serverThat(onConnection: (socket: net.Socket) => void) {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const close = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    return { port, sockets, close };
  }

  it('and never shakes hands delays a call by a bounded time only', async () => {
    const { port, close } = await serverThat(() => undefined);
    const agents = functionAgents();
    // Would not resolve without a limit.
    await agents.prepare(new URL(`https://127.0.0.1:${port}`));
    agents.closePrepared();
    await close();
  });

  it('and speaks without having been asked loses its connection', async () => {
    const { port, sockets, close } = await serverThat((socket) => {
      socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    });
    const agents = functionAgents();
    await agents.prepare(new URL(`http://127.0.0.1:${port}`));
    await until('the connection is closed', () => sockets.every(({ destroyed }) => destroyed));
    await close();
  });
});
