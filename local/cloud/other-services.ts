/**
 * An endpoint for the services that the local cloud does not have. Without it, their clients would send requests to AWS, with
 * credentials that AWS does not know. It refuses each request, and names the service and the operation.
 */
import type * as http from 'node:http';
import {
  type LoopbackOptions,
  type LoopbackServer,
  readBody,
  startLoopbackServer,
} from '../http/loopback-server';
import { elements } from '../s3/xml';

const NAME = 'UnknownOperationException';

/** Enough for queries, whose body names the operation. */
const MAX_BODY_BYTES = 2 ** 20;

export function startOtherServices(options: LoopbackOptions = {}): Promise<LoopbackServer> {
  return startLoopbackServer(refuse, options);
}

async function refuse(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = (await readBody(message, MAX_BODY_BYTES))?.toString();
  const text = `the local cloud does not support ${serviceOf(message)}:${operationOf(message, body)}`;
  const [type, answer] = answerFor(message, text);
  response.writeHead(400, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(answer),
    'x-amzn-ErrorType': NAME,
  });
  response.end(message.method === 'HEAD' ? undefined : answer);
}

function serviceOf({ headers }: http.IncomingMessage): string {
  const scope = /Credential=[^/,]+\/\d+\/[^/,]+\/([\w-]+)\/aws4_request/.exec(headers.authorization ?? '');
  return scope?.[1] ?? 'unsigned-request';
}

/** JSON protocols name the operation in a header, query protocols in the body, and REST has none. */
function operationOf({ headers, method = '', url = '' }: http.IncomingMessage, body?: string): string {
  const target = String(headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1);
  if (target !== undefined && target !== '') return target;
  const action = isQuery(headers) ? new URLSearchParams(body).get('Action') : null;
  return action ?? `${method} ${url}`;
}

/** XML for the query protocol and REST with XML: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization */
function answerFor({ headers }: http.IncomingMessage, text: string): [type: string, body: string] {
  if (!isQuery(headers) && headers['content-type']?.includes('xml') !== true) {
    return ['application/json', JSON.stringify({ __type: NAME, message: text })];
  }
  const error = { Type: 'Sender', Code: NAME, Message: text };
  return ['text/xml', elements({ ErrorResponse: { Error: error } })];
}

function isQuery(headers: http.IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}
