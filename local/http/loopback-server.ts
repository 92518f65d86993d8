/** HTTP servers on the loopback interface. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { LocalCloudError, systemErrorCode } from '../local-cloud-error';
import type { ServerCertificate } from './certificate';

export const LOOPBACK = '127.0.0.1';

const MAX_PORT = 65_535;

export interface LoopbackOptions {
  /** Without a certificate, the server speaks plain HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  readonly port?: number | undefined;
}

export interface LoopbackServer {
  /** Its host is an IP address, which makes the SDK use path-style addressing of S3. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** @param answer if it rejects, not even an error could be sent: that ends the connection, not the process */
export async function startLoopbackServer(
  answer: (message: http.IncomingMessage, response: http.ServerResponse) => Promise<void>,
  { certificate, port }: LoopbackOptions = {},
  prepare: (server: http.Server) => void = () => undefined,
): Promise<LoopbackServer> {
  const server =
    certificate === undefined
      ? http.createServer()
      : https.createServer({ cert: certificate.certificate, key: certificate.privateKey });
  server.on('request', (message, response) => {
    answer(message, response).catch(() => response.destroy());
  });
  prepare(server);
  const origin = `${certificate === undefined ? 'http' : 'https'}://${LOOPBACK}`;
  return { endpoint: `${origin}:${await listen(server, port)}`, close: () => closeServer(server) };
}

export async function listen(server: http.Server, port = 0): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw new LocalCloudError(
      `a port must be a whole number from 0 to ${MAX_PORT}, got ${port}: choose another port`,
    );
  }
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (port === 0) throw error;
    const code = systemErrorCode(error) ?? String(error);
    throw new LocalCloudError(`port ${port} of ${LOOPBACK} must be free, got ${code}: choose another port`);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

export async function closeServer(server: http.Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

export function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.slice(rawPathOf(url).length));
}

/** The path of a request's URL as it was sent. `URL` would rewrite paths such as `a/../b`. */
export function rawPathOf(url: string): string {
  return url.split('?', 1)[0];
}

/** A web page whose name resolves to 127.0.0.1 sends its own name as host, and could read the responses otherwise. */
export function isForLoopback({ headers }: http.IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  return host === LOOPBACK || host.toLowerCase() === 'localhost';
}

/** Reads also a body that is too large (`undefined`) to its end: otherwise the client sees a broken connection. */
export async function readBody(message: http.IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
  }
  return size <= maxBytes ? Buffer.concat(parts) : undefined;
}

export function sendJson(
  response: http.ServerResponse,
  status: number,
  body: object,
  headers: http.OutgoingHttpHeaders = { 'Content-Type': 'application/json' },
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
}
