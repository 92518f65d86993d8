/** The HTTP request of a caller: checks its API key and its route, and reads its body. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from './api-error';

/** A part of https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads */
interface HttpEvent {
  readonly rawPath?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly http: { readonly method?: string } };
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** SHA-256 digests of the keys that callers may have, in hexadecimal. */
const KEY_DIGESTS = (process.env.API_KEY_DIGESTS ?? '').split(',').filter((digest) => digest !== '');

/** Calls of the function with AWS credentials, and items of a batch, are no HTTP requests. */
export function isHttpEvent(event: unknown): event is HttpEvent {
  const context = (event as Partial<HttpEvent> | null)?.requestContext;
  return typeof context?.http === 'object';
}

/** @throws ApiError for a caller without a key, for another route, and for a body that is no JSON */
export function readBody({ headers = {}, requestContext, ...request }: HttpEvent): unknown {
  const [, key = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
  if (!isKey(key))
    throw new ApiError(401, 'the API key must be one of this endpoint: send it as `Authorization: Bearer`', {
      code: 'invalid_api_key',
    });
  const { rawPath = '', body = '', isBase64Encoded } = request;
  const { method = '' } = requestContext.http;
  if (rawPath !== '/v1/embeddings')
    throw new ApiError(404, `the path must be /v1/embeddings, got ${rawPath}`, { code: 'unknown_url' });
  if (method !== 'POST') throw new ApiError(405, `the method must be POST, got ${method}`);
  try {
    return JSON.parse(isBase64Encoded === true ? Buffer.from(body, 'base64').toString() : body);
  } catch {
    // The parser's message quotes the body.
    throw new ApiError(400, 'the body must be JSON');
  }
}

/** Compares with all digests, each in constant time. */
function isKey(key: string): boolean {
  const digest = createHash('sha256').update(key).digest();
  return KEY_DIGESTS.filter((known) => timingSafeEqual(Buffer.from(known, 'hex'), digest)).length > 0;
}
