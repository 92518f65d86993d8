/** The permissions of requests: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
import type { Action } from './actions';
import type { Authorizer, BucketKey, Needed } from './authorizer';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const ACTIONS = {
  ListBuckets: ['s3:ListAllMyBuckets'],
  HeadBucket: ['s3:ListBucket'],
  // Needs a session action, which depends on the session.
  CreateSession: [],
  ListObjectsV2: ['s3:ListBucket'],
  // A HEAD request only decrypts a checksum: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  HeadObject: ['s3:GetObject'],
  GetObject: ['s3:GetObject', 'kms:Decrypt'],
  PutObject: ['s3:PutObject', 'kms:GenerateDataKey'],
  DeleteObject: ['s3:DeleteObject'],
  // That each request of an upload needs one of both key actions is believed; the documentation only says that it needs both.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
  CreateMultipartUpload: ['s3:PutObject', 'kms:GenerateDataKey'],
  UploadPart: ['s3:PutObject', 'kms:Decrypt'],
  CompleteMultipartUpload: ['s3:PutObject', 'kms:Decrypt'],
  AbortMultipartUpload: ['s3:AbortMultipartUpload'],
} as const satisfies Record<string, readonly Action[]>;

export type S3OperationName = keyof typeof ACTIONS;

export type SessionMode = 'ReadWrite' | 'ReadOnly';

export interface S3Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** The headers that the object to be read was stored with. */
  readonly stored?: Headers;
  /** The version of TLS that the request came with, such as 1.3. */
  readonly tlsVersion: number;
}

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

export function s3Needs(name: S3OperationName, target: S3Target): Needed[] {
  const { bucket, key, query } = target;
  const context = transportContext(target);
  const policyOf = bucketArn(bucket);
  return s3ActionsOf(name, target).map((action): Needed => {
    if (bucket === '') return { action, resource: '*', context };
    if (key !== '') return { action, resource: `${policyOf}/${key}`, policyOf, context };
    const prefix = action === 's3:ListBucket' && { 's3:prefix': query.get('prefix') ?? '' };
    return { action, resource: policyOf, context: { ...context, ...prefix } };
  });
}

/**
 * A write or a deletion that names a version reads the object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * and https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
function s3ActionsOf(name: S3OperationName, { key, headers }: S3Target): Action[] {
  const actions = ACTIONS[name].filter((action) => action.startsWith('s3:'));
  const version = headers['if-match'];
  const writes = key !== '' && !/^(Get|Head)/.test(name);
  return writes && version !== undefined && version !== '*' ? [...actions, 's3:GetObject'] : actions;
}

export const ENCRYPTION_HEADER = 'x-amz-server-side-encryption';
export const KEY_HEADER = 'x-amz-server-side-encryption-aws-kms-key-id';

/**
 * What S3 needs on behalf of the requester if the objects are encrypted with KMS keys.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
 */
export function keyNeeds(name: S3OperationName, target: S3Target, authorizer: Authorizer): Needed[] {
  const { bucket, key, headers, stored = {} } = target;
  const all: readonly Action[] =
    name === 'HeadObject' && headers['x-amz-checksum-mode'] !== undefined ? ['kms:Decrypt'] : ACTIONS[name];
  const encryption = keyOf(bucket, all.includes('s3:PutObject') ? headers : stored, authorizer);
  if (encryption === undefined) return [];
  const context = {
    'kms:viaservice': `s3.${authorizer.region}.amazonaws.com`,
    'kms:calleraccount': authorizer.account,
    'kms:encryptioncontext:aws:s3:arn': encryption.bucketKeyEnabled
      ? bucketArn(bucket)
      : `${bucketArn(bucket)}/${key}`,
  };
  return all
    .filter((action) => action.startsWith('kms:'))
    .map((action) => ({ action, resource: encryption.keyArn, context }));
}

/** Listing the bucket: a caller that may not do this does not learn that a key is missing. */
export function listNeed(target: S3Target): Needed {
  return {
    action: 's3:ListBucket',
    resource: bucketArn(target.bucket),
    context: transportContext(target),
  };
}

export function sessionNeed(target: S3Target, authorizer: Authorizer, mode: SessionMode): Needed {
  return {
    action: 's3express:CreateSession',
    resource: `arn:aws:s3express:${authorizer.region}:${authorizer.account}:bucket/${target.bucket}`,
    context: { ...transportContext(target), 's3express:sessionmode': mode },
  };
}

function transportContext({ tlsVersion }: S3Target): Record<string, string> {
  return { 'aws:securetransport': 'true', 's3:tlsversion': String(tlsVersion) };
}

/** Of the object's headers, or else of its bucket. With neither, S3 uses keys that need no permission. */
function keyOf(bucket: string, headers: Headers, authorizer: Authorizer): BucketKey | undefined {
  if (headers[ENCRYPTION_HEADER] === undefined) return authorizer.bucketKey(bucket);
  const name = headers[KEY_HEADER];
  const keyArn = typeof name === 'string' ? authorizer.keyNamed(name) : undefined;
  const bucketKeyEnabled = headers['x-amz-server-side-encryption-bucket-key-enabled'] === 'true';
  return keyArn === undefined ? undefined : { keyArn, bucketKeyEnabled };
}
