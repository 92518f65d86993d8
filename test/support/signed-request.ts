/** Sends requests that the SDK would not send, with a right signature. */
import { createHash, createHmac } from 'node:crypto';
import * as http from 'node:http';
import { text } from 'node:stream/consumers';
import type { Credentials } from '../../local/s3/callers';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query, percent-encoded. The parameters of the query must be in order. */
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
  return send(endpoint, request, signedHeaders({ ...request, host }, signing));
}

/** Sends a request with exactly these headers. */
export async function send(
  endpoint: string,
  { method, path, body }: SignedRequest,
  headers: http.OutgoingHttpHeaders,
): Promise<Answer> {
  const { hostname, port } = new URL(endpoint);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request({ hostname, port, method, path, headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(body);
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

export function signedHeaders(
  request: SignedRequest & { readonly host: string },
  { credentials, region = 'us-east-1', service = 's3', time = new Date() }: Signing,
): Record<string, string> {
  const { method, path, host, body = '' } = request;
  const stamp = time.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = {
    host,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': stamp,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
    ...request.headers,
  };
  const names = Object.keys(headers).sort();
  const [route = '', query = ''] = path.split('?');
  const canonical = [
    method,
    route,
    query
      .split('&')
      .map((parameter) => (parameter === '' || parameter.includes('=') ? parameter : `${parameter}=`))
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(credentials.secretAccessKey, scope), toSign).toString('hex');
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

export function signingKey(secret: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
}

export function hmac(key: Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest();
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
