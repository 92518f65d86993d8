/** The functions' client against a server that is silent, resets, stalls, or forgets its connections. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { functionAgents } from '../../../lambda/store/connections';
import { MAX_IDLE_MS } from '../../../lambda/store/limits';
import { readRangeInto } from '../../../lambda/store/ranged-read';
import { functionObjects } from '../../../lambda/store/s3-client';

const BODY = Buffer.from('0123456789');
const object = { bucket: 'b', key: 'k' };

type Behavior = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** Answers a read of a range, or a write. */
const serve: Behavior = ({ method, headers }, response) => {
  const [, start = 0, last = 0] = (/bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? []).map(Number);
  const part = method === 'GET' ? BODY.subarray(start, last + 1) : Buffer.alloc(0);
  response.writeHead(method === 'GET' ? 206 : 200, {
    'Content-Length': part.byteLength,
    'Content-Range': `bytes ${start}-${last}/${BODY.byteLength}`,
    ETag: '"e"',
  });
  response.end(part);
};

const silent: Behavior = () => undefined;
const reset: Behavior = ({ socket }) => void socket.resetAndDestroy();
const stall: Behavior = (_, response) => {
  response.writeHead(206, { 'Content-Length': BODY.byteLength, ETag: '"e"' });
  response.write(BODY.subarray(0, 4));
};

describe('the client of the functions', () => {
  const environment = { ...process.env };
  const agents = functionAgents();
  const limits = { connect: 2_000, silence: 400, answer: 1_200, retry: 0 };
  const objects = functionObjects({ agents, limits });
  let server: http.Server;
  /** What the server does with the next requests; afterwards it serves them. */
  let behaviors: Behavior[] = [];
  let requests: { socket: Socket }[] = [];
  const connections = new Set<Socket>();

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      requests.push({ socket: request.socket });
      request.resume();
      (behaviors.shift() ?? serve)(request, response);
    });
    server.on('connection', (socket: Socket) => connections.add(socket));
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
    agents.closeIdle();
    behaviors = [];
    requests = [];
    connections.clear();
  });

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    agents.closeIdle();
    process.env = environment;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  async function read(): Promise<string> {
    const target = Buffer.alloc(BODY.byteLength);
    await readRangeInto(objects, object, { start: 0, end: BODY.byteLength }, '"e"', target);
    return target.toString();
  }

  const write = () => objects.putIfAbsent(object, [BODY], 0xa684c7c6);

  function idleConnections(): number {
    return Object.values(agents.httpAgent.freeSockets).flat().length;
  }

  /** Opens `count` connections, which are idle afterwards, and lets the server forget them: it never answers on them again. */
  async function forgottenConnections(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, read));
    expect(idleConnections()).toBe(count);
    const forgotten = new Set(connections);
    const forget: Behavior = (request, response) => {
      if (!forgotten.has(request.socket)) serve(request, response);
    };
    behaviors = Array.from({ length: 20 }, () => forget);
    requests = [];
    connections.clear();
  }

  it('gives up a read that is never answered, after a bounded number of bounded waits', async () => {
    behaviors = Array.from({ length: 20 }, () => silent);
    await expect(read()).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(requests).toHaveLength(3);
  });

  it('gives up a write that is never answered, after a bounded number of bounded waits', async () => {
    behaviors = Array.from({ length: 20 }, () => silent);
    await expect(write()).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['is silent', silent],
    ['resets the connection', reset],
  ])('reads and writes again if the server %s', async (_, behavior) => {
    behaviors = [behavior, behavior];
    expect(await read()).toBe(BODY.toString());
    behaviors = [behavior, behavior];
    expect(await write()).toBe('written');
    expect(requests).toHaveLength(6);
  });

  it('requests the rest of a body that stalls', async () => {
    behaviors = [stall];
    expect(await read()).toBe(BODY.toString());
    expect(requests).toHaveLength(2);
  });

  it('reuses a connection shortly after a request', async () => {
    await read();
    await write();
    await read();
    expect(connections.size).toBe(1);
  });

  it.each([
    ['slept through a freeze', MAX_IDLE_MS + 1],
    ['seems to be from the future, because the clock was set back', -60_000],
  ])('does not reuse a connection that %s', async (_, elapsedMs) => {
    await forgottenConnections(6);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + elapsedMs);
    expect(await read()).toBe(BODY.toString());
    expect(await write()).toBe('written');
    // No request went to a forgotten connection.
    expect(requests).toHaveLength(2);
    expect(connections.size).toBe(1);
  });

  it('waits for one forgotten connection at most, even if it has many', async () => {
    await forgottenConnections(6);
    expect(await read()).toBe(BODY.toString());
    expect(requests).toHaveLength(2);
    expect(connections.size).toBe(1);
  });

  it('closes idle connections when it is told to, and opens new ones afterwards', async () => {
    await Promise.all([read(), read(), read()]);
    objects.closeIdleConnections();
    // Destroyed connections leave the agent in a later turn.
    while (idleConnections() > 0) await new Promise(setImmediate);
    expect(await read()).toBe(BODY.toString());
  });
});
