/** Long bodies of a server that falls silent, or breaks, read by ranges. */
import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { functionAgents } from '../../../lambda/store/connections';
import type { ByteRange, ObjectStore } from '../../../lambda/store/object-store';
import { RangeRead } from '../../../lambda/store/ranged-read';
import { wholeBody } from '../../../lambda/store/read-buffer';
import { makeServerCertificate } from '../../../local/tls/certificate';
import { MemoryObjects } from '../../support/memory-objects';

const BODY = randomBytes(2_000_000);
const ALL = { start: 0, end: BODY.byteLength };
const CERTIFICATE = makeServerCertificate();
const OBJECT = { bucket: 'b', key: 'k' };

/** A short limit, so that the test of a stall is quick. */
jest.mock('../../../lambda/store/limits', () => ({
  ...jest.requireActual<object>('../../../lambda/store/limits'),
  STALL_MS: 300,
}));

type Answer = (response: http.ServerResponse, rest: Buffer) => void;

const whole: Answer = (response, rest) => response.end(rest);

describe.each(['HTTP', 'TLS'])('a long body over %s', (protocol) => {
  const isSecure = protocol === 'TLS';
  const module = isSecure ? https : http;
  const credentials = { cert: CERTIFICATE.certificate, key: CERTIFICATE.privateKey };
  let agent: http.Agent;
  let server: http.Server;
  let starts: number[] = [];
  /** How the server answers the first request. */
  let first: Answer = whole;
  let received: () => number = () => 0;

  beforeAll(async () => {
    const answer: http.RequestListener = ({ headers }, response) => {
      const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1]);
      const rest = BODY.subarray(start);
      response.writeHead(206, {
        'Content-Length': rest.byteLength,
        'Content-Range': `bytes ${start}-1999999/2000000`,
      });
      starts.push(start);
      (starts.length === 1 ? first : whole)(response, rest);
    };
    server = isSecure ? https.createServer(credentials, answer) : http.createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  beforeEach(() => {
    starts = [];
    received = () => 0;
    const agents = functionAgents({ ca: CERTIFICATE.authority });
    agent = isSecure ? agents.httpsAgent : agents.httpAgent;
  });
  afterEach(() => {
    agent.destroy();
  });

  afterAll(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });

  class ServedObjects extends MemoryObjects {
    override get(_: typeof OBJECT, { start, end }: ByteRange): ReturnType<ObjectStore['get']> {
      const { port } = server.address() as AddressInfo;
      const headers = { Range: `bytes=${start}-${end - 1}` };
      return new Promise((resolve, reject) => {
        const answered = (response: http.IncomingMessage): void => {
          received = () => response.socket.bytesRead;
          // Its body is known after all listeners of the response.
          queueMicrotask(() => {
            resolve({ size: BODY.byteLength, version: 'v', body: wholeBody(response) });
          });
        };
        module.get({ host: '127.0.0.1', port, agent, headers }).on('response', answered).on('error', reject);
      });
    }
  }

  const read = () => new RangeRead(new ServedObjects(), OBJECT, ALL, 'v');

  async function arrival(bytes: number): Promise<void> {
    for (let turn = 0; received() <= bytes; turn++) {
      if (turn > 20_000) throw new Error(`got ${received()} bytes, expected ${bytes}`);
      await setImmediate();
    }
  }

  it('that stalls is continued at the first missing byte', async () => {
    first = (response, rest) => response.write(rest.subarray(0, 600_000));
    const target = Buffer.alloc(BODY.byteLength);
    let position = 0;
    const reading = read().pourInto(async (chunk) => {
      for (let turn = 0; turn < 5; turn++) await setImmediate();
      target.set(chunk, position);
      position += chunk.byteLength;
    });
    await reading;
    expect(starts).toEqual([0, 600_000]);
    expect(target.equals(BODY)).toBe(true);
  });

  it('that breaks loses less than two short pieces when it is read as a stream', async () => {
    let end: () => void = () => undefined;
    first = (response, rest) => {
      response.write(rest.subarray(0, 600_000));
      end = () => response.destroy();
    };
    const chunks: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of read().chunks()) chunks.push(Buffer.from(chunk));
    })();
    await arrival(600_000);
    end();
    await reading;
    expect(starts[1]).toBeGreaterThan(600_000 - 2 * 64 * 1024);
    expect(Buffer.concat(chunks).equals(BODY)).toBe(true);
  });
});
