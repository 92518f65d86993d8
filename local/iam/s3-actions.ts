/**
 * The permissions that a request to S3 needs. Every operation that the local S3 supports must be here: others are refused.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
import type { Action } from './actions';
import type { Authorizer, BucketKey, Needed } from './authorizer';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A parsed request. */
export interface S3Operation {
  readonly method: string;
  /** Empty for a request to the service. */
  readonly bucket: string;
  /** Empty for a request to the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** The source of a copy. */
  readonly copySource?: { readonly bucket: string; readonly key: string };
  /** The headers that the object to be read was stored with. */
  readonly stored?: Headers;
  /** The version of TLS that the request came with, such as 1.3; `undefined` for plain HTTP. */
  readonly tlsVersion: number | undefined;
}

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

function directoryBucketArn({ account, region }: Authorizer, bucket: string): string {
  return `arn:aws:s3express:${region}:${account}:bucket/${bucket}`;
}

/**
 * What a request to a general purpose bucket needs of S3.
 *
 * @returns `undefined` for an unknown operation
 */
export function s3Needs(operation: S3Operation): Needed[] | undefined {
  const { bucket, key } = operation;
  const context = transportContext(operation);
  if (bucket === '') {
    return operation.method === 'GET'
      ? [{ action: 's3:ListAllMyBuckets', resource: '*', context }]
      : undefined;
  }
  const policyOf = bucketArn(bucket);
  if (key === '') {
    if (operation.method === 'POST' && operation.query.has('delete')) {
      // The keys are in the body. AWS decides about each; here, the caller must be allowed to delete any object.
      return [{ action: 's3:DeleteObject', resource: `${policyOf}/*`, policyOf, context }];
    }
    const action = bucketAction(operation);
    const prefix = operation.query.get('prefix') ?? '';
    const more = action === 's3:ListBucket' ? { ...context, 's3:prefix': prefix } : context;
    return action && [{ action, resource: policyOf, context: more }];
  }
  const own = objectActions(operation)?.map((action) => ({
    action,
    resource: `${policyOf}/${key}`,
    policyOf,
    context,
  }));
  const { copySource: source } = operation;
  if (own === undefined || source === undefined) return own;
  const sourceArn = bucketArn(source.bucket);
  return [
    { action: 's3:GetObject', resource: `${sourceArn}/${source.key}`, policyOf: sourceArn, context },
    ...own,
  ];
}

export const ENCRYPTION_HEADER = 'x-amz-server-side-encryption';
export const KEY_HEADER = 'x-amz-server-side-encryption-aws-kms-key-id';

/** What S3 needs on behalf of the requester if the objects are encrypted with KMS keys. */
export function keyNeeds(operation: S3Operation, authorizer: Authorizer): Needed[] {
  const { method, headers, copySource: source, stored = {} } = operation;
  const own = method === 'PUT' || method === 'POST' ? headers : stored;
  return [
    ...(source ? keyUses(['kms:Decrypt'], source, stored, authorizer) : []),
    ...keyUses(keyActions(operation), operation, own, authorizer),
  ];
}

/** Listing the bucket: a caller that may not do this does not learn that a key is missing. */
export function listNeed(operation: S3Operation): Needed {
  return {
    action: 's3:ListBucket',
    resource: bucketArn(operation.bucket),
    context: transportContext(operation),
  };
}

export function sessionNeed(
  operation: S3Operation,
  authorizer: Authorizer,
  mode: 'ReadWrite' | 'ReadOnly',
): Needed {
  return {
    action: 's3express:CreateSession',
    resource: directoryBucketArn(authorizer, operation.bucket),
    context: { ...transportContext(operation), 's3express:sessionmode': mode },
  };
}

function transportContext({ tlsVersion }: S3Operation): Record<string, string> {
  return {
    'aws:securetransport': String(tlsVersion !== undefined),
    ...(tlsVersion !== undefined && { 's3:tlsversion': String(tlsVersion) }),
  };
}

function bucketAction({ method, query }: S3Operation): Action | undefined {
  if (method === 'HEAD') return 's3:ListBucket';
  if (method !== 'GET') return undefined;
  if (query.has('location')) return 's3:GetBucketLocation';
  return query.has('list-type') ? 's3:ListBucket' : undefined;
}

/**
 * Multipart uploads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions. Conditional
 * writes and deletions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
function objectActions({ method, query, headers }: S3Operation): Action[] | undefined {
  const isPart = query.has('uploadId');
  const ifMatch = headers['if-match'];
  /** A request that names a version reads the object. */
  const read: Action[] = ifMatch === undefined || ifMatch === '*' ? [] : ['s3:GetObject'];
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (query.has('tagging')) return ['s3:GetObjectTagging'];
      return ['s3:GetObject'];
    case 'PUT':
      return ['s3:PutObject', ...read];
    case 'POST':
      if (isPart) return ['s3:PutObject', ...read];
      return query.has('uploads') ? ['s3:PutObject'] : undefined;
    case 'DELETE':
      return isPart ? ['s3:AbortMultipartUpload'] : ['s3:DeleteObject', ...read];
    default:
      return undefined;
  }
}

/**
 * A HEAD request only decrypts a checksum: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html. That of the
 * requests of a multipart upload each needs one of both actions is believed; the documentation only says that it needs both.
 */
function keyActions({ method, key, query, headers }: S3Operation): Action[] {
  if (key === '') return [];
  const isPart = query.has('uploadId');
  switch (method) {
    case 'GET':
      return query.has('tagging') ? [] : ['kms:Decrypt'];
    case 'HEAD':
      return headers['x-amz-checksum-mode'] === undefined ? [] : ['kms:Decrypt'];
    case 'PUT':
      return [isPart ? 'kms:Decrypt' : 'kms:GenerateDataKey'];
    case 'POST':
      return [isPart ? 'kms:Decrypt' : 'kms:GenerateDataKey'];
    default:
      return [];
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context */
function keyUses(
  actions: readonly Action[],
  { bucket, key }: Pick<S3Operation, 'bucket' | 'key'>,
  headers: Headers,
  authorizer: Authorizer,
): Needed[] {
  const encryption = keyOf(bucket, headers, authorizer);
  if (encryption === undefined) return [];
  const context = {
    'kms:viaservice': `s3.${authorizer.region}.amazonaws.com`,
    'kms:calleraccount': authorizer.account,
    'kms:encryptioncontext:aws:s3:arn': encryption.bucketKeyEnabled
      ? bucketArn(bucket)
      : `${bucketArn(bucket)}/${key}`,
  };
  return actions.map((action) => ({ action, resource: encryption.keyArn, context }));
}

/**
 * The key that the headers of an object ask for, or else that of its bucket. With neither a key nor a bucket's, S3 uses keys
 * that need no permission.
 */
function keyOf(bucket: string, headers: Headers, authorizer: Authorizer): BucketKey | undefined {
  if (headers[ENCRYPTION_HEADER] === undefined) return authorizer.bucketKey(bucket);
  const name = headers[KEY_HEADER];
  const keyArn = typeof name === 'string' ? authorizer.keyNamed(name) : undefined;
  const bucketKeyEnabled = headers['x-amz-server-side-encryption-bucket-key-enabled'] === 'true';
  return keyArn === undefined ? undefined : { keyArn, bucketKeyEnabled };
}
