/**
 * Posts JSON to an HTTP API whose callers sign their requests with their credentials of AWS (Signature Version 4):
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. `curl --aws-sigv4` does the same.
 */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';

interface Signing {
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** The authority of the server's certificate as PEM, if it is not a public one. */
  readonly ca?: string;
}

/**
 * Returns the body of the response.
 * @throws Error with the status and the message if the API refuses the request
 */
export async function postSigned(url: string, content: unknown, signing: Signing): Promise<unknown> {
  const body = JSON.stringify(content);
  const headers = signedHeaders(new URL(url), body, signing);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { ca } = signing;
    https
      .request(url, { method: 'POST', headers, agent: false, ...(ca !== undefined && { ca }) }, resolve)
      .on('error', reject)
      .end(body);
  });
  const answer = await text(response);
  if (response.statusCode === 200) return JSON.parse(answer) as unknown;
  throw new Error(`the HTTP API must answer 200, got ${response.statusCode ?? 'no status'}: ${answer}`);
}

function signedHeaders(
  { host, pathname }: URL,
  body: string,
  { region, credentials }: Signing,
): Readonly<Record<string, string>> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    host,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ['POST', pathname, '', lines.join(''), names, sha256(body)].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/execute-api/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  const signature = hmac(key, toSign).toString('hex');
  return {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function hmac(key: Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest();
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
