/**
 * An S3 endpoint for the unmodified AWS SDK. It supports the operations below and refuses all others by name.
 *
 * Users' code and tools reach this endpoint through `LocalCloud.s3` or AWS_ENDPOINT_URL_S3, so it supports more than the
 * functions need. `sliced-inference slice --out s3://` uploads large files with the multipart operations, and resumes
 * with ListMultipartUploads and ListParts. `aws s3 cp` uploads large files in parts. Applications list and delete objects
 * with ListObjectsV2 and DeleteObject.
 */
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import { closeServer, listen, LOOPBACK } from '../basics/listen';
import type { Authorizer } from '../iam/authorizer';
import { S3Authorization } from './authorize';
import type { Callers } from './callers';
import { createSession, isCreateSession } from './create-session';
import { notImplemented, S3Error } from './errors';
import { getObject } from './get-object';
import { LIST_UPLOADS_QUERY, listMultipartUploads } from './multipart/list-multipart';
import { LIST_QUERY, listObjects } from './list-objects';
import { isMultipart, operateMultipart } from './multipart/multipart';
import { MultipartUploads } from './multipart/multipart-uploads';
import { putObject } from './put-object';
import { allowQuery, authenticate, operationName, parseRequest, type S3Request } from './request';
import type { DiskObjectStore } from './store';

export class S3Server {
  /**
   * Starts a server on a free port. Requests must have the access key id of one of the callers.
   *
   * @param authorizer authorizes the requests of callers that have a principal
   */
  static async start(store: DiskObjectStore, callers: Callers, authorizer?: Authorizer): Promise<S3Server> {
    const authorization = new S3Authorization(store, authorizer);
    const uploads = new MultipartUploads(store);
    const server = http.createServer((message, response) => {
      void answer({ store, uploads, callers, authorization }, message, response);
    });
    // No timeout: large objects can take longer on slow machines than the default of five minutes per request.
    server.requestTimeout = 0;
    const port = await listen(server);
    return new S3Server(server, `http://${LOOPBACK}:${port}`);
  }

  private constructor(
    private readonly server: http.Server,
    /** Its host is an IP address, which makes the SDK use path-style addressing. */
    readonly endpoint: string,
  ) {}

  close(): Promise<void> {
    return closeServer(this.server);
  }
}

interface Served {
  readonly store: DiskObjectStore;
  readonly uploads: MultipartUploads;
  readonly callers: Callers;
  readonly authorization: S3Authorization;
}

async function answer(
  served: Served,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('x-amz-request-id', requestId);
  try {
    const request = parseRequest(message, authenticate(message, served.callers));
    await request.traffic?.firstByte();
    served.authorization.check(request);
    await operate(served, request, response).catch((error: unknown) => {
      throw served.authorization.hideMissingKey(request, error);
    });
  } catch (error) {
    // The client has gone, or a file failed halfway: the response can no longer become an error, so close it.
    if (response.headersSent || message.socket.destroyed) {
      response.destroy();
      return;
    }
    const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error));
    refuse(known, requestId, message, response);
  }
}

async function operate(
  { store, uploads, authorization }: Served,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  if (request.bucket === '') throw notImplemented(operationName(request));
  if (isCreateSession(request)) {
    createSession(store, authorization.sessionMode(request), request, response);
    return;
  }
  if (request.key === '') {
    const xml = list(store, uploads, request);
    response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
    return;
  }
  if (isMultipart(request)) {
    await operateMultipart(uploads, request, response);
    return;
  }
  allowQuery(request, []);
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      await getObject(store, request, response);
      return;
    case 'PUT': {
      const object = await putObject(store, request);
      response.writeHead(200, { ETag: object.etag, 'x-amz-checksum-crc32': object.crc32.value }).end();
      return;
    }
    case 'DELETE':
      await store.delete(request.bucket, request.key);
      response.writeHead(204).end();
      return;
    default:
      throw notImplemented(operationName(request));
  }
}

function list(store: DiskObjectStore, uploads: MultipartUploads, request: S3Request): string {
  if (request.method === 'GET' && request.query.get('list-type') === '2') {
    allowQuery(request, LIST_QUERY);
    return listObjects(store, request);
  }
  if (request.method === 'GET' && request.query.has('uploads')) {
    allowQuery(request, LIST_UPLOADS_QUERY);
    return listMultipartUploads(uploads, request);
  }
  throw notImplemented(operationName(request));
}

function refuse(
  error: S3Error,
  requestId: string,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  // Read the rest of the body. Otherwise the client sees a broken connection instead of the response.
  message.resume();
  const body = error.toXml(requestId);
  response.writeHead(error.status, {
    'Content-Type': 'application/xml',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(message.method === 'HEAD' ? undefined : body);
}
