/** Bodies of responses, of which long ones go around Node.js's HTTP parser, from servers that keep the protocol and others. */
import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { pour, DirectBody } from '../../../lambda/store/body';
import { functionAgents } from '../../../lambda/store/connections';
import { RangeRead } from '../../../lambda/store/ranged-read';
import { wholeBody } from '../../../lambda/store/read-buffer';
import { functionObjects } from '../../../lambda/store/s3-client';
import { answeringServer, PROTOCOLS, type Answer } from '../../support/answering-server';

/** A short limit, so that the test of a stall is quick. */
jest.mock('../../../lambda/store/limits', () => ({
  ...jest.requireActual<object>('../../../lambda/store/limits'),
  STALL_MS: 300,
}));

/** More than the memory of a transfer, and no multiple of anything. */
const BODY = randomBytes(5_000_003);

/** A limit that no test reaches. */
const never = (): number => performance.now() + 600_000;

function head(response: http.ServerResponse, length: number): http.ServerResponse {
  const start = BODY.byteLength - length;
  const range = `bytes ${start}-${BODY.byteLength - 1}/${BODY.byteLength}`;
  return response.writeHead(206, { 'Content-Length': length, 'Content-Range': range, ETag: '"e"' });
}

/** The bytes from the start of the requested range on. */
function restOf({ headers }: http.IncomingMessage): Buffer {
  return BODY.subarray(Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0));
}

const serve: Answer = (request, response) => {
  const rest = restOf(request);
  head(response, rest.byteLength).end(rest);
};
const short: Answer = (_, response) => head(response, 1000).end(BODY.subarray(0, 1000));
const plain: Answer = (_, response) => response.writeHead(200, { 'Content-Length': 5_000_003 }).end(BODY);
const chunked: Answer = (_, response) => {
  for (let at = 0; at < BODY.byteLength; at += 100_000) response.write(BODY.subarray(at, at + 100_000));
  response.end();
};
/** Writes past Node.js's server, which counts the bytes. */
const tooMany: Answer = (_, response) => {
  head(response, BODY.byteLength).flushHeaders();
  response.socket?.write(Buffer.concat([BODY, Buffer.from('HTTP/1.1 206 smuggled\r\n\r\n')]));
};
const stalling: Answer = (_, response) => head(response, BODY.byteLength).write(BODY.subarray(0, 600_000));
const broken: Answer = (_, response) => {
  head(response, BODY.byteLength).write(BODY.subarray(0, 3_000_000), () => {
    void setImmediate().then(() => response.destroy());
  });
};

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

describe.each(PROTOCOLS)('a body over %s', (protocol) => {
  const server = answeringServer(protocol, serve);
  const agents = functionAgents({ ca: server.ca });
  const agent = protocol === 'https' ? agents.httpsAgent : agents.httpAgent;
  afterAll(() => {
    agent.destroy();
  });

  function respond(answer = serve): Promise<http.IncomingMessage> {
    server.next = [answer];
    const { get } = protocol === 'https' ? https : http;
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: server.port, agent }).on('response', resolve).on('error', reject);
    });
  }

  async function direct(answer = serve): Promise<DirectBody> {
    const body = wholeBody(await respond(answer));
    if (!(body instanceof DirectBody)) throw new Error('the body went through the parser');
    return body;
  }

  /** Pours the body into one buffer. Each chunk is copied after what it waits for, when its memory must be unchanged. */
  async function poured(body: DirectBody, pause: () => Promise<unknown> | undefined = () => undefined) {
    const chunks: Buffer[] = [];
    const sink = (chunk: Uint8Array): Promise<void> | undefined => {
      const paused = pause();
      if (paused !== undefined) return paused.then(() => void chunks.push(Buffer.from(chunk)));
      chunks.push(Buffer.from(chunk));
      return undefined;
    };
    const reason = await pour(body, sink, never());
    return { bytes: Buffer.concat(chunks), reason, chunks: chunks.length };
  }

  it.each([
    ['short', short, 1000],
    ['not a range', plain, BODY.byteLength],
    ['chunked', chunked, BODY.byteLength],
  ])('goes through the parser and one buffer if it is %s', async (_, answer, length) => {
    const response = await respond(answer);
    expect(wholeBody(response)).toBe(response);
    const memory = new Set<ArrayBufferLike>();
    response.socket.on('data', (piece: Buffer) => memory.add(piece.buffer));
    expect((await buffer(response)).equals(BODY.subarray(0, length))).toBe(true);
    expect(memory.size).toBeLessThanOrEqual(1);
  });

  it('arrives whole if it is long: at once, in the time of a slow reader, late, or as a stream', async () => {
    expect((await poured(await direct())).bytes.equals(BODY)).toBe(true);
    const slow = await poured(await direct(), () => turns(50));
    expect(slow.bytes.equals(BODY)).toBe(true);
    expect(slow.chunks).toBeGreaterThan(4);
    const late = await direct();
    await turns(50);
    expect((await poured(late)).bytes.equals(BODY)).toBe(true);
    expect((await buffer(await direct())).equals(BODY)).toBe(true);
  });

  it('leaves its connection to the next request, and parallel ones have their own', async () => {
    const ports = new Set<number | undefined>();
    const read = async () => {
      const response = await respond();
      ports.add(response.socket.localPort);
      expect((await poured(wholeBody(response) as DirectBody, setImmediate)).bytes.equals(BODY)).toBe(true);
    };
    for (let time = 0; time < 5; time++) await read();
    expect(ports.size).toBe(1);
    await Promise.all(Array.from({ length: 6 }, read));
    expect(ports.size).toBeLessThanOrEqual(6);
  });

  it('passes on what arrived before the connection broke, and fails as a stream', async () => {
    const { bytes, reason } = await poured(await direct(broken), setImmediate);
    expect(reason).toMatchObject({ message: 'aborted' });
    expect(bytes.byteLength).toBeGreaterThan(0);
    expect(bytes.equals(BODY.subarray(0, bytes.byteLength))).toBe(true);
    await expect(buffer(await direct(broken))).rejects.toThrow('aborted');
  });

  it('never yields more bytes than were announced, and closes such a connection', async () => {
    const response = await respond(tooMany);
    const { bytes, reason } = await poured(wholeBody(response) as DirectBody, setImmediate);
    expect(bytes.byteLength).toBeLessThanOrEqual(BODY.byteLength);
    expect(bytes.equals(BODY.subarray(0, bytes.byteLength))).toBe(true);
    expect((reason as Error).message).toMatch(
      /^(S3 announced 5000003 bytes of a body, got \d+ or more|a connection must bring )/,
    );
    expect(response.socket.destroyed).toBe(true);
  });

  it('closes its connection if its reader fails, or nobody wants the rest', async () => {
    const failed = await respond();
    const pouring = pour(wholeBody(failed), () => Promise.reject(new Error('disk full')), never());
    await expect(pouring).rejects.toThrow('disk full');
    const unwanted = await respond();
    (wholeBody(unwanted) as DirectBody).destroy();
    await setImmediate();
    expect([failed, unwanted].map(({ socket }) => socket.destroyed)).toEqual([true, true]);
  });

  const limits = { connect: 60_000, silence: 60_000, answer: 60_000, retry: 0 };
  const objects = functionObjects({ agents, limits });
  const all = { start: 0, end: BODY.byteLength };
  const read = () => new RangeRead(objects, { bucket: 'b', key: 'k' }, all, '"e"');
  const starts = () => server.requests.map((request) => BODY.byteLength - restOf(request).byteLength);

  it('read by ranges is continued at the first missing byte if it stalls', async () => {
    server.next = [stalling];
    const target = Buffer.alloc(BODY.byteLength);
    let position = 0;
    await read().pourInto(async (chunk) => {
      await turns(5);
      target.set(chunk, position);
      position += chunk.byteLength;
    });
    expect(starts()).toEqual([0, 600_000]);
    expect(target.equals(BODY)).toBe(true);
  });
});
