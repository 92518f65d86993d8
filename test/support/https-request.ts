/** Sends requests to a server of the local cloud that speaks TLS. */
import * as https from 'node:https';
import { text } from 'node:stream/consumers';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Json } from '../../local';
import { signedHeaders, type Signing } from './signed-request';

interface HttpsRequest {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Signs the request for an HTTP API. */
  readonly signing?: Signing;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Json;
}

/** @param ca the authority to trust, as PEM */
export async function request(
  url: string,
  ca: string,
  { method = 'POST', headers = {}, body = '', signing }: HttpsRequest = {},
): Promise<HttpsAnswer> {
  const { host, pathname } = new URL(url);
  const signed =
    signing &&
    (await signedHeaders({ method, path: pathname, host, body }, { service: 'execute-api', ...signing }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = https.request(
      url,
      // Without a server name, because a test may send another host.
      { method, ca, agent: false, servername: '', headers: { ...signed, ...headers } },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body);
  });
  const content = await text(response);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: content === '' ? null : (JSON.parse(content) as Json),
  };
}
