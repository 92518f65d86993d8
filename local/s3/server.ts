/**
 * An S3 endpoint for the unmodified AWS SDK. It supports the operations below and refuses all others by name.
 *
 * Users' code and tools reach this endpoint through `LocalCloud.s3` or AWS_ENDPOINT_URL_S3, so it supports more than the
 * functions need. `sliced-inference slice --out s3://` and `aws s3 cp` upload large files in parts, and `aws s3 sync` lists
 * and copies.
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import type { FaultInjector } from '../faults/injector';
import { type LoopbackOptions, LoopbackServer } from '../http/loopback-server';
import type { Authorizer } from '../iam/authorizer';
import { authenticate } from './authenticate';
import { S3Authorization } from './authorize';
import { bucketLocation, LIST_BUCKETS_QUERY, listBuckets } from './buckets';
import type { Callers } from './callers';
import { copyObject } from './copy-object';
import { createSession, isCreateSession } from './create-session';
import { deleteObject, deleteObjects } from './delete-objects';
import { notImplemented, S3Error } from './errors';
import { S3Faults } from './faults';
import { GET_QUERY, getObject } from './get-object';
import { IdleConnections } from './idle-connections';
import { LIST_QUERY, listObjects } from './list-objects';
import { isMultipart, operateMultipart } from './multipart/multipart';
import { MultipartUploads } from './multipart/multipart-uploads';
import { writtenHeaders } from './object-headers';
import { putObject } from './put-object';
import {
  allowQuery,
  checkHost,
  isDirectoryBucket,
  operationName,
  parseRequest,
  type S3Request,
} from './request';
import { checkOwner, knownHeaders } from './request-headers';
import type { DiskObjectStore } from './store';
import { xmlDocument } from './xml';

export interface S3ServerOptions extends LoopbackOptions {
  /** The region for which requests must be signed. Default: us-east-1. */
  readonly region?: string;
  /** The account that owns the buckets. Default: 000000000000. */
  readonly account?: string;
  /** Authorizes the requests of callers that have a principal. */
  readonly authorizer?: Authorizer;
  /** Decides which requests of functions are hit by faults. */
  readonly faults?: FaultInjector;
}

export class S3Server {
  /** Starts a server on a free port. Requests must be signed by one of the callers. */
  static async start(
    store: DiskObjectStore,
    callers: Callers,
    options: S3ServerOptions = {},
  ): Promise<S3Server> {
    const { region = 'us-east-1', account = '000000000000', certificate, authorizer, port, faults } = options;
    const uploads = new MultipartUploads(store);
    const connections = new IdleConnections();
    const authorization = new S3Authorization(store, authorizer);
    const openings = new WeakMap<Socket, number>();
    const served: Served = { store, uploads, callers, connections, openings, authorization, region, account };
    const serve = async (
      message: http.IncomingMessage,
      response: http.ServerResponse,
      sendContinue: () => void,
    ): Promise<void> => {
      if (!connections.isForgotten(message)) await answer(served, message, response, sendContinue);
    };
    const server = await LoopbackServer.start(
      (message, response) => serve(message, response, () => undefined),
      { certificate, port },
      (http) => {
        if (faults) served.faults = new S3Faults(faults, connections, http);
        http.on(certificate ? 'secureConnection' : 'connection', (socket: Socket) => {
          openings.set(socket, performance.now());
        });
        // The client waits before it sends its body, so that it can be refused without it.
        http.on('checkContinue', (message, response) => {
          const sendContinue = (): void => {
            response.writeContinue();
          };
          serve(message, response, sendContinue).catch(() => response.destroy());
        });
        // No timeout: large objects can take longer on slow machines than the default of five minutes per request.
        http.requestTimeout = 0;
      },
    );
    return new S3Server(server, connections);
  }

  private constructor(
    private readonly server: LoopbackServer,
    readonly connections: IdleConnections,
  ) {}

  get endpoint(): string {
    return this.server.endpoint;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

interface Served {
  readonly store: DiskObjectStore;
  readonly uploads: MultipartUploads;
  readonly callers: Callers;
  readonly connections: IdleConnections;
  /** When connections were opened, by `performance.now()`. */
  readonly openings: WeakMap<Socket, number>;
  readonly region: string;
  readonly account: string;
  readonly authorization: S3Authorization;
  faults?: S3Faults;
}

async function answer(
  served: Served,
  message: http.IncomingMessage,
  response: http.ServerResponse,
  sendContinue: () => void,
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('x-amz-request-id', requestId);
  let waits = message.headers.expect !== undefined;
  const onContinue = (): void => {
    if (waits) sendContinue();
    waits = false;
  };
  try {
    checkHost(message);
    const authenticated = authenticate(message, served.callers, served.region);
    const intended = parseRequest(message, authenticated, onContinue);
    served.connections.follow(intended.caller.accessKeyId, message, response);
    await firstByte(served, intended);
    const request = served.faults ? await served.faults.strike(intended, response) : intended;
    if (request === undefined) return;
    checkOwner(request, served.account);
    served.authorization.check(request);
    await operate(served, request, response).catch((error: unknown) => {
      throw served.authorization.hideMissingKey(request, error);
    });
  } catch (error) {
    // The client has gone, or a file failed halfway: the response can no longer become an error, so close it.
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error));
    // The client will not send the body that it announced, so the connection cannot serve another request.
    if (waits) response.setHeader('Connection', 'close');
    // Read the rest of the body. Otherwise the client sees a broken connection instead of the response.
    else message.resume();
    refuse(known, requestId, served.region, message, response);
  }
}

/** Waits for as long as S3 takes to start its response to a function. */
async function firstByte(
  { openings }: Served,
  { traffic, bucket, method, message }: S3Request,
): Promise<void> {
  if (traffic === undefined) return;
  const { socket } = message;
  await traffic.firstByte({
    store: isDirectoryBucket(bucket) ? 'express' : 'standard',
    operation: method === 'PUT' || method === 'POST' ? 'put' : 'get',
    socket,
    openedAt: openings.get(socket) ?? performance.now(),
  });
}

async function operate(served: Served, request: S3Request, response: http.ServerResponse): Promise<void> {
  if (isCreateSession(request)) {
    const mode = served.authorization.sessionMode(request);
    createSession(served.store, served.callers, mode, request, response);
  } else if (request.bucket === '') sendXml(operateService(served, request), response);
  else if (request.key === '') await operateBucket(served, request, response);
  else if (isMultipart(request)) await operateMultipart(served.store, served.uploads, request, response);
  else await operateObject(served, request, response);
}

function operateService({ store, region }: Served, request: S3Request): string {
  if (request.method !== 'GET') throw notImplemented(operationName(request));
  allowQuery(request, LIST_BUCKETS_QUERY);
  return listBuckets(store, request, region);
}

async function operateBucket(
  { store, region }: Served,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  const { method, query } = request;
  if (method === 'HEAD') {
    allowQuery(request, []);
    knownHeaders(request, 'HeadBucket');
    store.checkBucket(request.bucket);
    response.writeHead(200, { 'x-amz-bucket-region': region }).end();
  } else if (method === 'GET' && query.has('location')) {
    allowQuery(request, ['location']);
    sendXml(bucketLocation(store, request, region), response);
  } else if (method === 'GET' && query.get('list-type') === '2') {
    allowQuery(request, LIST_QUERY);
    knownHeaders(request, 'ListObjectsV2', ['x-amz-optional-object-attributes']);
    sendXml(listObjects(store, request), response);
  } else if (method === 'POST' && query.has('delete')) {
    allowQuery(request, ['delete']);
    sendXml(await deleteObjects(store, request), response);
  } else throw notImplemented(operationName(request));
}

async function operateObject(
  { store }: Served,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (request.method === 'GET' && request.query.has('tagging')) {
        allowQuery(request, ['tagging']);
        sendXml(getObjectTagging(store, request), response);
        return;
      }
      allowQuery(request, GET_QUERY);
      await getObject(store, request, response);
      return;
    case 'PUT': {
      allowQuery(request, []);
      if (request.copySource !== undefined) {
        sendXml((await copyObject(store, request.copySource, request)).xml, response);
        return;
      }
      const object = await putObject(store, request);
      response.writeHead(200, writtenHeaders(object)).end();
      return;
    }
    case 'DELETE':
      allowQuery(request, []);
      await deleteObject(store, request);
      response.writeHead(204).end();
      return;
    default:
      throw notImplemented(operationName(request));
  }
}

/** No operation here sets tags, so no object has any. `aws s3 cp` asks before it copies a large object. */
function getObjectTagging(store: DiskObjectStore, request: S3Request): string {
  knownHeaders(request, 'GetObjectTagging');
  store.head(request.bucket, request.key);
  return xmlDocument('Tagging', ['<TagSet></TagSet>']);
}

function sendXml(xml: string, response: http.ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
}

function refuse(
  error: S3Error,
  requestId: string,
  region: string,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const body = error.toXml(requestId);
  response.writeHead(error.status, {
    'Content-Type': 'application/xml',
    'Content-Length': Buffer.byteLength(body),
    // Clients that signed for another region find the right one here.
    ...('Region' in error.fields && { 'x-amz-bucket-region': region }),
  });
  response.end(message.method === 'HEAD' ? undefined : body);
}
