/** An S3 endpoint for the unmodified SDK: the operations that a pipeline uses, everything else refused by name. */
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import { closeServer, listen, LOOPBACK } from '../listen';
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
  /** Starts on a free port. Requests must be signed by one of the callers. */
  static async start(store: DiskObjectStore, callers: Callers): Promise<S3Server> {
    const uploads = new MultipartUploads(store);
    const server = http.createServer((message, response) => {
      void answer({ store, uploads, callers }, message, response);
    });
    // Large objects on slow machines: the default of five minutes per request is not theirs.
    server.requestTimeout = 0;
    const port = await listen(server);
    return new S3Server(server, `http://${LOOPBACK}:${port}`);
  }

  private constructor(
    private readonly server: http.Server,
    /** An IP address as host makes the SDK use path-style addressing by itself. */
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
    await operate(served, request, response);
  } catch (error) {
    // A client that went away, or a file that failed halfway: the answer cannot be saved, only cut off.
    if (response.headersSent || message.socket.destroyed) {
      response.destroy();
      return;
    }
    const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error));
    refuse(known, requestId, message, response);
  }
}

async function operate(
  { store, uploads }: Served,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  if (request.bucket === '') throw notImplemented(operationName(request));
  if (isCreateSession(request)) {
    createSession(store, request, response);
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
  // An unread body is read to its end, otherwise the client sees a broken connection instead of the answer.
  message.resume();
  const body = error.toXml(requestId);
  response.writeHead(error.status, {
    'Content-Type': 'application/xml',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(message.method === 'HEAD' ? undefined : body);
}
