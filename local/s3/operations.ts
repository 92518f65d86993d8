/**
 * The operations of the local S3. All others are refused by name.
 *
 * Users' code and tools reach it through `LocalCloud.s3` or AWS_ENDPOINT_URL_S3, so it supports more than the functions need:
 * `sliced-inference batch` and `aws s3 cp` upload large files in parts, and `aws s3 sync` lists keys.
 */
import type * as http from 'node:http';
import { createSession, headBucket, listBuckets, listObjects } from './buckets';
import type { S3Request } from './request';
import { notImplemented } from './errors';
import { deleteObject, getObject, putObject } from './objects';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './multipart';
import { sendText } from './send-body';
import type { Operation, S3Service } from './service';
import { checkHeaders, ENCRYPTION_HEADERS, WRITE_HEADERS } from './headers';

const GET_OBJECT = { headers: ['x-amz-checksum-mode'], run: getObject };

/** By method and target. An operation with a marker comes before those without. */
const OPERATIONS: Readonly<Partial<Record<string, readonly Operation[]>>> = {
  'GET service': [{ name: 'ListBuckets', query: ['max-buckets'], run: listBuckets }],
  'HEAD bucket': [{ name: 'HeadBucket', run: headBucket }],
  'GET bucket': [
    {
      name: 'CreateSession',
      marker: 'session',
      headers: ['x-amz-create-session-mode', ...ENCRYPTION_HEADERS],
      run: createSession,
    },
    {
      name: 'ListObjectsV2',
      marker: 'list-type',
      query: ['prefix', 'delimiter', 'max-keys', 'continuation-token', 'start-after', 'encoding-type'],
      headers: ['x-amz-optional-object-attributes'],
      run: listObjects,
    },
  ],
  'HEAD object': [{ name: 'HeadObject', ...GET_OBJECT }],
  'GET object': [{ name: 'GetObject', ...GET_OBJECT }],
  'PUT object': [
    {
      name: 'UploadPart',
      marker: 'uploadId',
      query: ['partNumber'],
      headers: WRITE_HEADERS,
      run: uploadPart,
    },
    { name: 'PutObject', headers: [...WRITE_HEADERS, ...ENCRYPTION_HEADERS], run: putObject },
  ],
  'POST object': [
    {
      name: 'CreateMultipartUpload',
      marker: 'uploads',
      headers: ['x-amz-checksum-algorithm', 'x-amz-checksum-type', ...ENCRYPTION_HEADERS],
      run: createMultipartUpload,
    },
    {
      name: 'CompleteMultipartUpload',
      marker: 'uploadId',
      headers: ['x-amz-checksum-type', 'x-amz-mp-object-size'],
      run: completeMultipartUpload,
    },
  ],
  'DELETE object': [
    { name: 'AbortMultipartUpload', marker: 'uploadId', run: abortMultipartUpload },
    { name: 'DeleteObject', run: deleteObject },
  ],
};

export function operationOf(request: S3Request): Operation {
  const operation = OPERATIONS[`${request.method} ${targetOf(request)}`]?.find(
    ({ marker }) => marker === undefined || request.query.has(marker),
  );
  if (operation === undefined) throw notImplemented(requested(request));
  return operation;
}

export async function operate(
  { name, marker, query = [], headers, run }: Operation,
  service: S3Service,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  for (const parameter of request.query.keys()) {
    if (parameter !== 'x-id' && parameter !== marker && !query.includes(parameter))
      throw notImplemented(requested(request));
  }
  checkHeaders(request.headers, name, headers);
  const answer = await run(service, request, response);
  if (answer === undefined) return;
  const xml = answer.xml !== undefined && { 'Content-Type': 'application/xml' };
  response.writeHead(answer.status ?? 200, { ...answer.headers, ...xml });
  await sendText(response, answer.xml, request);
}

function targetOf({ bucket, key }: S3Request): string {
  return key !== '' ? 'object' : bucket !== '' ? 'bucket' : 'service';
}

const UNSUPPORTED: Readonly<Partial<Record<string, string>>> = {
  'PUT bucket': 'CreateBucket',
  'DELETE bucket': 'DeleteBucket',
  'GET bucket': 'ListObjects',
  'POST bucket': 'PostObject',
};

/** Names an operation in an error: by the SDK's hint, or else by method and subresource. */
function requested(request: S3Request): string {
  const query = request.query.toString();
  const hint = request.query.get('x-id');
  if (hint !== null) return `${hint} (${request.method} ?${query})`;
  const target = targetOf(request);
  if (query !== '') return `${request.method} on ${target} with ?${query}`;
  const name = UNSUPPORTED[`${request.method} ${target}`];
  return name === undefined ? `${request.method} on ${target}` : `${name} (${request.method} on ${target})`;
}
