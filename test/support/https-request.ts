/** Sends requests to a server of the local cloud that speaks TLS. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Json } from '../../local';
import { send, signedHeaders, type Signing } from './signed-request';

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
  const { host, pathname, origin } = new URL(url);
  const signed =
    signing &&
    (await signedHeaders({ method, path: pathname, host, body }, { service: 'execute-api', ...signing }));
  const all = { ...signed, ...headers };
  const answer = await send(origin, { method, path: pathname, body }, all, ca);
  return { ...answer, body: answer.body === '' ? null : (JSON.parse(answer.body) as Json) };
}
