import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { functionAgents } from '../../../lambda/store/connections';
import { makeServerCertificate } from '../../../local/tls/certificate';

/** The length is not a multiple of the read buffer's. */
const BODY = randomBytes(3_000_001);

const CERTIFICATE = makeServerCertificate();

type Agents = ReturnType<typeof functionAgents>;

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (request.url === '/chunked') {
    for (let at = 0; at < BODY.byteLength; at += 100_000) response.write(BODY.subarray(at, at + 100_000));
    response.end();
  } else if (request.url === '/until-the-end') {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    response.end(BODY);
  } else if (request.url === '/stuck') {
    response.writeHead(200, { 'Content-Length': BODY.byteLength });
    response.write(BODY.subarray(0, 1000));
  } else if (request.url === '/broken') {
    response.writeHead(200, { 'Content-Length': BODY.byteLength });
    response.write(BODY.subarray(0, 1_000_000), () => response.destroy());
  } else {
    response.writeHead(200, { 'Content-Length': BODY.byteLength }).end(BODY);
  }
}

describe.each([
  {
    protocol: 'HTTP',
    start: () => http.createServer(answer),
    request: (options: http.RequestOptions, { httpAgent }: Agents) =>
      http.get({ ...options, agent: httpAgent }),
  },
  {
    protocol: 'TLS',
    start: () => https.createServer({ cert: CERTIFICATE.certificate, key: CERTIFICATE.privateKey }, answer),
    request: (options: http.RequestOptions, { httpsAgent }: Agents) =>
      https.get({ ...options, agent: httpsAgent }),
  },
])('a $protocol connection', ({ start, request }) => {
  const agents = functionAgents({ ca: CERTIFICATE.authority });
  let server: http.Server;

  beforeAll(async () => {
    server = start();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  function get(path: string): Promise<http.IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path }, agents).on('response', resolve).on('error', reject);
    });
  }

  function idleConnections(): number {
    const { httpAgent, httpsAgent } = agents;
    return [httpAgent, httpsAgent].flatMap(({ freeSockets }) => Object.values(freeSockets).flat()).length;
  }

  it.each(['/whole', '/chunked', '/until-the-end'])('returns the bytes of %s', async (path) => {
    expect((await buffer(await get(path))).equals(BODY)).toBe(true);
  });

  it('reads into one buffer', async () => {
    const response = await get('/whole');
    const memory = new Set<ArrayBufferLike>();
    response.socket.on('data', (piece: Buffer) => memory.add(piece.buffer));
    await buffer(response);
    expect(memory.size).toBe(1);
  });

  it('waits for a slow reader', async () => {
    const response = await get('/whole');
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if (chunks.length < 10) await setTimeout(5);
      expect(response.readableLength).toBeLessThan(1_000_000);
    }
    expect(Buffer.concat(chunks).equals(BODY)).toBe(true);
  });

  it('serves parallel requests, and reuses a connection for the next request', async () => {
    const bodies = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const response = await get('/whole');
        const { localPort } = response.socket;
        return { body: await buffer(response), localPort };
      }),
    );
    expect(bodies.every(({ body }) => body.equals(BODY))).toBe(true);
    const next = await get('/whole');
    expect(bodies.map(({ localPort }) => localPort)).toContain(next.socket.localPort);
    expect((await buffer(next)).equals(BODY)).toBe(true);
  });

  it('can be destroyed while no data arrives', async () => {
    const response = await get('/stuck');
    response.once('data', () => void setImmediate().then(() => response.destroy(new Error('enough'))));
    await expect(buffer(response)).rejects.toThrow('enough');
  });

  it('is opened again if the server has closed an idle connection', async () => {
    await buffer(await get('/whole'));
    // The server may need a turn to see that a connection is idle, and the client one to see that it is closed.
    while (idleConnections() > 0) {
      server.closeIdleConnections();
      await setImmediate();
    }
    expect((await buffer(await get('/whole'))).equals(BODY)).toBe(true);
  });

  it('fails if it breaks', async () => {
    await expect(buffer(await get('/broken'))).rejects.toThrow('aborted');
  });
});
