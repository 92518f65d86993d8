/** Sends requests that the SDK would not send, and requests of JSON over TLS. */
import * as http from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Json } from '../../local';
import type { Credentials } from '../../local/s3/callers';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Signing {
  readonly credentials: Credentials & { readonly sessionToken?: string };
  readonly region?: string;
  readonly service?: string;
  readonly time?: Date;
}

export async function sendSigned(
  endpoint: string,
  request: SignedRequest,
  signing: Signing,
): Promise<Answer> {
  const { host } = new URL(endpoint);
  return send(endpoint, request, await signedHeaders({ ...request, host }, signing));
}

/**
 * Sends a request with exactly these headers.
 *
 * @param ca the authority to trust, as PEM, of a server that speaks TLS
 */
export async function send(
  endpoint: string,
  { method, path, body }: SignedRequest,
  headers: http.OutgoingHttpHeaders,
  ca?: string,
): Promise<Answer> {
  const { hostname, port } = new URL(endpoint);
  // Without a server name, because a test may send another host.
  const options = { hostname, port, method, path, headers, agent: false, ca, servername: '' } as const;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = ca === undefined ? http.request(options, resolve) : https.request(options, resolve);
    request.on('error', reject);
    request.end(body);
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

interface JsonRequest extends Partial<Omit<SignedRequest, 'path' | 'headers'>> {
  readonly headers?: http.OutgoingHttpHeaders;
  /** Signs the request for an HTTP API. */
  readonly signing?: Signing;
}

export type JsonAnswer = Omit<Answer, 'body'> & { readonly body: Json };

/** Calls a server of the local cloud that speaks TLS. @param ca the authority to trust, as PEM */
export async function request(
  url: string,
  ca: string,
  { method = 'POST', headers = {}, body = '', signing }: JsonRequest = {},
): Promise<JsonAnswer> {
  const { host, pathname: path, origin } = new URL(url);
  const sent = { method, path, host, body };
  const signed = signing && (await signedHeaders(sent, { service: 'execute-api', ...signing }));
  const answer = await send(origin, sent, { ...signed, ...headers }, ca);
  return { ...answer, body: answer.body === '' ? null : (JSON.parse(answer.body) as Json) };
}

export async function signedHeaders(
  { method, path, host, headers = {}, body = '' }: SignedRequest & { readonly host: string },
  signing: Signing,
): Promise<Record<string, string>> {
  const all: Record<string, string> = { host, ...headers };
  if (body !== '') all['content-length'] = String(Buffer.byteLength(body));
  const request = { ...partsOf(path), method, hostname: host, headers: all, body };
  return (await signerOf(signing).sign(request, { signingDate: signing.time })).headers;
}

function partsOf(path: string) {
  const [route = '', query = ''] = path.split('?');
  return { protocol: 'http:', path: route, query: Object.fromEntries(new URLSearchParams(query)) };
}

function signerOf({ credentials, region = 'us-east-1', service = 's3' }: Signing): SignatureV4 {
  // S3 signs the path as it is sent.
  const uriEscapePath = !service.startsWith('s3');
  return new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath });
}
