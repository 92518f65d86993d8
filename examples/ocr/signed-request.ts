/** Posts JSON to an HTTP API whose callers sign their requests with their credentials of AWS. `curl --aws-sigv4` does the same. */
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

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
  const headers = await signedHeaders(new URL(url), body, signing);
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

/** They are valid for five minutes. */
async function signedHeaders(
  { protocol, hostname, host, pathname: path }: URL,
  body: string,
  { region, credentials }: Signing,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  const headers = {
    host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  };
  const signed = await signer.sign({ method: 'POST', protocol, hostname, path, headers, body });
  return signed.headers;
}
