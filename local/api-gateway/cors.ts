/** Cross-origin requests: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */
import type * as http from 'node:http';

export interface Cors {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number | undefined;
}

/** The headers of the response to a preflight request; `undefined` if the request is none. */
export function preflightHeaders(
  { method, headers }: http.IncomingMessage,
  cors: Cors,
): http.OutgoingHttpHeaders | undefined {
  if (method !== 'OPTIONS' || headers.origin === undefined) return undefined;
  if (headers['access-control-request-method'] === undefined) return undefined;
  const origin = allowedOrigin(headers.origin, cors);
  if (origin === undefined) return {};
  return {
    ...origin,
    ...list('access-control-allow-methods', cors.allowMethods),
    ...list('access-control-allow-headers', cors.allowHeaders),
    ...(cors.maxAgeSeconds !== undefined && { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  };
}

/** The headers of the response of an integration. */
export function corsHeaders(
  { headers }: http.IncomingMessage,
  cors: Cors | undefined,
): http.OutgoingHttpHeaders {
  if (cors === undefined || headers.origin === undefined) return {};
  const origin = allowedOrigin(headers.origin, cors);
  return origin === undefined
    ? {}
    : { ...origin, ...list('access-control-expose-headers', cors.exposeHeaders) };
}

/** `https://*` stands for all origins with this scheme. */
function allowedOrigin(origin: string, cors: Cors): http.OutgoingHttpHeaders | undefined {
  const all = cors.allowOrigins.includes('*');
  const allowed =
    all ||
    cors.allowOrigins.some(
      (name) => name === origin || (/^https?:\/\/\*$/.test(name) && origin.startsWith(name.slice(0, -1))),
    );
  if (!allowed) return undefined;
  return {
    'access-control-allow-origin': all ? '*' : origin,
    ...(!all && { vary: 'origin' }),
    ...(cors.allowCredentials && { 'access-control-allow-credentials': 'true' }),
  };
}

function list(header: string, values: readonly string[]): http.OutgoingHttpHeaders {
  return values.length === 0 ? {} : { [header]: values.join(',') };
}
