/** An S3 endpoint for the unmodified AWS SDK. */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultInjector } from '../faults/injector';
import { type LoopbackOptions, type LoopbackServer, startLoopbackServer } from '../http/loopback-server';
import { Authorizer } from '../iam/authorizer';
import { authenticate, type Callers } from './callers';
import { S3Authorization } from './authorize';
import { S3Error } from './errors';
import { S3Faults } from './faults';
import { operate, operationOf } from './operations';
import { checkHost, isDirectoryBucket, parseRequest, type S3Request } from './request';
import { sendText } from './send-body';
import type { S3Service } from './service';
import type { DiskObjectStore } from './store';
import { elements } from './xml';

export interface S3ServerOptions extends LoopbackOptions {
  /** The region for which requests must be signed. Default: us-east-1. */
  readonly region?: string;
  readonly authorizer?: Authorizer;
  readonly faults?: FaultInjector;
}

export function startS3Server(
  store: DiskObjectStore,
  callers: Callers,
  options: S3ServerOptions = {},
): Promise<LoopbackServer> {
  const { region = 'us-east-1', certificate, authorizer = new Authorizer(), port, faults } = options;
  const uploads: S3Service['uploads'] = new Map();
  const authorization = new S3Authorization(store, authorizer);
  const openings = new WeakMap<Socket, number>();
  const served: Served = { store, uploads, callers, openings, authorization, region };
  const serve = async (message: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    if (served.faults?.isForgotten(message) !== true) await answer(served, message, response);
  };
  return startLoopbackServer(serve, { certificate, port }, (server) => {
    if (faults) served.faults = new S3Faults(faults, server);
    server.on(certificate ? 'secureConnection' : 'connection', (socket: Socket) => {
      openings.set(socket, performance.now());
    });
    // No timeout: large objects can take longer on slow machines than the default of five minutes per request.
    server.requestTimeout = 0;
  });
}

interface Served extends S3Service {
  /** When connections were opened, by `performance.now()`. */
  readonly openings: WeakMap<Socket, number>;
  faults?: S3Faults;
}

async function answer(
  served: Served,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  let request: S3Request | undefined;
  response.setHeader('x-amz-request-id', requestId);
  try {
    checkHost(message);
    const authenticated = authenticate(message, served.callers, served.region);
    const intended = parseRequest(message, authenticated);
    await firstByte(served, intended);
    request = served.faults ? await served.faults.strike(intended, response) : intended;
    if (request === undefined) return;
    const struck = request;
    const operation = operationOf(struck);
    served.authorization.check(operation.name, struck);
    await operate(operation, served, struck, response).catch((error: unknown) => {
      throw served.authorization.hideMissingKey(struck, error);
    });
  } catch (error) {
    // The client has gone, or a file failed halfway: the response can no longer become an error.
    if (response.headersSent || response.destroyed) throw error;
    const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error));
    // Read the rest of the body. Otherwise the client sees a broken connection instead of the response.
    message.resume();
    const { code, message: text, fields, status } = known;
    const content = elements({ Code: code, Message: text, ...fields, RequestId: requestId });
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`;
    response.writeHead(status, {
      'Content-Type': 'application/xml',
      'Content-Length': Buffer.byteLength(body),
      // Clients that signed for another region find the right one here.
      ...('Region' in fields && { 'x-amz-bucket-region': served.region }),
    });
    await sendText(response, message.method === 'HEAD' ? undefined : body, request);
  }
}

async function firstByte(
  { openings }: Served,
  { caller: { traffic }, bucket, method, message }: S3Request,
): Promise<void> {
  if (traffic === undefined) return;
  const { socket } = message;
  const now = performance.now();
  const store = isDirectoryBucket(bucket) ? 'express' : 'standard';
  const operation = method === 'PUT' || method === 'POST' ? 'put' : 'get';
  const openedAt = openings.get(socket) ?? now;
  const ms = traffic.firstByteMs({ store, operation, socket, openedAt }, now);
  if (ms > 0) await delay(ms);
}
