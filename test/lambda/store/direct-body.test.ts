/** Long bodies, which go around Node.js's HTTP parser, from servers that keep the protocol and from servers that do not. */
import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { pour } from '../../../lambda/store/body';
import { functionAgents } from '../../../lambda/store/connections';
import { DirectBody } from '../../../lambda/store/direct-body';
import { wholeBody } from '../../../lambda/store/read-buffer';
import { makeServerCertificate } from '../../../local/tls/certificate';

/** More than the memory of a transfer, and no multiple of anything. */
const BODY = randomBytes(5_000_003);
const CERTIFICATE = makeServerCertificate();

/** A limit that no test reaches. */
const soon = (): number => performance.now() + 600_000;

type Behavior = (response: http.ServerResponse) => void;

function head(response: http.ServerResponse, length = BODY.byteLength): http.ServerResponse {
  return response.writeHead(206, { 'Content-Length': length, 'Content-Range': 'bytes 0-5000002/5000003' });
}

const serve: Behavior = (response) => head(response).end(BODY);

/** Writes past Node.js's server, which counts the bytes. */
const tooMany: Behavior = (response) => {
  head(response).flushHeaders();
  response.socket?.write(Buffer.concat([BODY, Buffer.from('HTTP/1.1 206 smuggled\r\n\r\n')]));
};

const broken: Behavior = (response) => {
  head(response).write(BODY.subarray(0, 3_000_000), () => {
    void setImmediate().then(() => response.destroy());
  });
};

describe.each([
  { protocol: 'HTTP', start: (answer: http.RequestListener) => http.createServer(answer) },
  {
    protocol: 'TLS',
    start: (answer: http.RequestListener) =>
      https.createServer({ cert: CERTIFICATE.certificate, key: CERTIFICATE.privateKey }, answer),
  },
])('a long body over $protocol', ({ protocol, start }) => {
  const agents = functionAgents({ ca: CERTIFICATE.authority });
  const module = protocol === 'TLS' ? https : http;
  const agent = protocol === 'TLS' ? agents.httpsAgent : agents.httpAgent;
  let server: http.Server;
  let behavior = serve;

  beforeAll(async () => {
    server = start((_, response) => {
      behavior(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  beforeEach(() => (behavior = serve));

  afterAll(async () => {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });

  function respond(): Promise<http.IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      module.get({ host: '127.0.0.1', port, agent }).on('response', resolve).on('error', reject);
    });
  }

  async function direct(): Promise<DirectBody> {
    const body = wholeBody(await respond());
    if (!(body instanceof DirectBody)) throw new Error('the body went through the parser');
    return body;
  }

  /** Pours the body into one buffer; `pause` returns what each chunk waits for. */
  async function poured(body: DirectBody, pause: () => Promise<unknown> | undefined = () => undefined) {
    const chunks: Buffer[] = [];
    const reason = await pour(
      body,
      (chunk) => {
        chunks.push(Buffer.from(chunk));
        return pause()?.then(() => undefined);
      },
      soon(),
    );
    return { bytes: Buffer.concat(chunks), reason };
  }

  it('arrives whole', async () => {
    const { bytes } = await poured(await direct());
    expect(bytes.equals(BODY)).toBe(true);
  });

  it('keeps its bytes while the reader uses the memory, and waits for it', async () => {
    const seen: boolean[] = [];
    let position = 0;
    await pour(
      await direct(),
      async (chunk) => {
        const expected = BODY.subarray(position, position + chunk.byteLength);
        position += chunk.byteLength;
        for (let turn = 0; turn < 50; turn++) await setImmediate();
        seen.push(expected.equals(chunk));
      },
      soon(),
    );
    expect(position).toBe(BODY.byteLength);
    expect(seen.length).toBeGreaterThan(4);
    expect(seen).not.toContain(false);
  });

  it('can be read as a stream', async () => {
    expect((await buffer(await direct())).equals(BODY)).toBe(true);
  });

  it('can be read late', async () => {
    const body = await direct();
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect((await poured(body)).bytes.equals(BODY)).toBe(true);
  });

  it('leaves its connection to the next request', async () => {
    const ports: (number | undefined)[] = [];
    for (let time = 0; time < 5; time++) {
      const response = await respond();
      ports.push(response.socket.localPort);
      const body = wholeBody(response);
      expect((await poured(body as DirectBody, setImmediate)).bytes.equals(BODY)).toBe(true);
    }
    expect(new Set(ports).size).toBe(1);
  });

  it('passes on what arrived before the connection broke', async () => {
    behavior = broken;
    const { bytes, reason } = await poured(await direct(), setImmediate);
    expect(reason).toMatchObject({ message: 'aborted' });
    expect(bytes.byteLength).toBeGreaterThan(0);
    expect(bytes.equals(BODY.subarray(0, bytes.byteLength))).toBe(true);
  });

  it('fails as a stream if the connection breaks', async () => {
    behavior = broken;
    await expect(buffer(await direct())).rejects.toThrow('aborted');
  });

  it('never yields more bytes than were announced, and closes such a connection', async () => {
    behavior = tooMany;
    const response = await respond();
    const { bytes, reason } = await poured(wholeBody(response) as DirectBody, setImmediate);
    expect(bytes.byteLength).toBeLessThanOrEqual(BODY.byteLength);
    expect(bytes.equals(BODY.subarray(0, bytes.byteLength))).toBe(true);
    const { message } = reason as Error;
    expect(message).toMatch(
      /^(S3 announced 5000003 bytes of a body, got \d+ or more|a connection must bring )/,
    );
    expect(response.socket.destroyed).toBe(true);
  });

  it('closes its connection if its reader fails', async () => {
    const response = await respond();
    const poured = pour(wholeBody(response), () => Promise.reject(new Error('disk full')), soon());
    await expect(poured).rejects.toThrow('disk full');
    expect(response.socket.destroyed).toBe(true);
  });

  it('closes its connection if nobody wants the rest', async () => {
    const response = await respond();
    (wholeBody(response) as DirectBody).destroy();
    await setImmediate();
    expect(response.socket.destroyed).toBe(true);
  });

  it('goes through the parser if it is short', async () => {
    behavior = (response) => head(response, 1000).end(BODY.subarray(0, 1000));
    const response = await respond();
    expect(wholeBody(response)).toBe(response);
    expect((await buffer(response)).equals(BODY.subarray(0, 1000))).toBe(true);
  });
});
