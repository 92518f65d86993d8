/** The functions' client against a server that is silent, resets, stalls, or forgets its connections. */
import { functionAgents } from '../../../lambda/store/connections';
import { MAX_IDLE_MS } from '../../../lambda/store/limits';
import { readRangeInto } from '../../../lambda/store/ranged-read';
import { functionObjects } from '../../../lambda/store/s3-client';
import { answeringServer, type Answer } from '../../support/answering-server';

const BODY = Buffer.from('0123456789');
const object = { bucket: 'b', key: 'k' };

/** Answers a read of a range, or a write. */
const serve: Answer = ({ method, headers }, response) => {
  const [, start = 0, last = 0] = (/bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? []).map(Number);
  const part = method === 'GET' ? BODY.subarray(start, last + 1) : Buffer.alloc(0);
  const range = `bytes ${start}-${last}/${BODY.byteLength}`;
  const fields = { 'Content-Length': part.byteLength, 'Content-Range': range, ETag: '"e"' };
  response.writeHead(method === 'GET' ? 206 : 200, fields).end(part);
};
const silent: Answer = () => undefined;
const reset: Answer = ({ socket }) => void socket.resetAndDestroy();
const stall: Answer = (_, response) => {
  response.writeHead(206, { 'Content-Length': BODY.byteLength, ETag: '"e"' }).write(BODY.subarray(0, 4));
};

describe('the client of the functions', () => {
  const server = answeringServer('http', serve);
  const agents = functionAgents();
  const limits = { connect: 2_000, silence: 400, answer: 1_200, retry: 0 };
  const objects = functionObjects({ agents, limits });
  beforeEach(() => {
    agents.closeIdle();
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => {
    agents.closeIdle();
  });

  async function read(): Promise<string> {
    const target = Buffer.alloc(BODY.byteLength);
    await readRangeInto(objects, object, { start: 0, end: BODY.byteLength }, '"e"', target);
    return target.toString();
  }

  const write = () => objects.write(object, [BODY], 0xa684c7c6);
  const both = async () => [await read(), await write()];
  const idle = () => Object.values(agents.httpAgent.freeSockets).flat().length;

  /** Opens `count` connections, which are idle afterwards, and lets the server forget them: it never answers on them again. */
  async function forgottenConnections(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, read));
    expect(idle()).toBe(count);
    const forgotten = new Set(server.connections);
    server.reset();
    const forget: Answer = (request, response) => {
      if (!forgotten.has(request.socket)) serve(request, response);
    };
    server.next = Array.from({ length: 20 }, () => forget);
  }

  it.each([
    ['read', read],
    ['write', write],
  ])('gives up a %s that is never answered, after a bounded number of bounded waits', async (_, request) => {
    server.next = Array.from({ length: 20 }, () => silent);
    await expect(request()).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    ['is silent', [silent, silent], 3],
    ['resets the connection', [reset, reset], 3],
    ['stalls in a body', [stall], 2],
  ])('sends a request again if the server %s', async (_, faults, requests) => {
    server.next = [...faults];
    expect(await read()).toBe(BODY.toString());
    expect(server.requests).toHaveLength(requests);
    server.next = faults.filter((fault) => fault !== stall);
    expect(await write()).toBe(true);
  });

  it.each([
    ['slept through a freeze', MAX_IDLE_MS + 1],
    ['seems to be from the future, because the clock was set back', -60_000],
  ])('does not reuse a connection that %s', async (_, elapsedMs) => {
    await forgottenConnections(6);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + elapsedMs);
    expect(await both()).toEqual([BODY.toString(), true]);
    // No request went to a forgotten connection.
    expect(server.requests).toHaveLength(2);
    expect(server.connections).toHaveLength(1);
  });

  it('waits for one forgotten connection at most, even if it has many', async () => {
    await forgottenConnections(6);
    expect(await read()).toBe(BODY.toString());
    expect(server.requests).toHaveLength(2);
    expect(server.connections).toHaveLength(1);
  });
});
