/**
 * The event of a request to a function's URL.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
import type * as http from 'node:http';
import { LOOPBACK, queryOf, rawPathOf } from '../http/loopback-server';
import type { Principal } from '../iam/principals';
import type { JsonObject } from '../json';

/** Content of these types is text. Lambda encodes all other content in base64, also that of forms. */
const TEXT = /^(text\/|application\/(json|javascript|xml|[\w.-]+\+(json|xml))\b)/i;

interface About {
  readonly requestId: string;
  /** Of a signed request. */
  readonly caller: Principal | undefined;
}

export function urlEvent(
  message: http.IncomingMessage,
  body: Buffer,
  { requestId, caller }: About,
): JsonObject {
  const { method = '', url = '/', headers, socket } = message;
  const { cookie, ...others } = headers;
  const isText = TEXT.test(headers['content-type'] ?? '');
  const query = queryOf(url);
  const now = new Date();
  const [path, host] = [rawPathOf(url), headers.host ?? ''];
  const time = now.toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, '$1/$2/$3:$4 +0000');
  const names = [...new Set(query.keys())];
  const isCalled = caller?.kind === 'identity';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: url.slice(path.length + 1),
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers: {
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)])),
      'x-forwarded-for': LOOPBACK,
      'x-forwarded-port': String(socket.localPort ?? ''),
      'x-forwarded-proto': 'https',
    },
    ...(names.length > 0 && {
      queryStringParameters: Object.fromEntries(names.map((name) => [name, query.getAll(name).join(',')])),
    }),
    requestContext: {
      accountId: isCalled ? caller.account : 'anonymous',
      apiId: 'local',
      ...(isCalled && { authorizer: { iam: { accountId: caller.account, userArn: caller.arn } } }),
      domainName: host,
      domainPrefix: host.split('.')[0],
      http: {
        ...{ method, path, protocol: `HTTP/${message.httpVersion}`, sourceIp: LOOPBACK },
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time,
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}
