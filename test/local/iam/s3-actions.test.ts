import { Authorizer } from '../../../local/iam/authorizer';
import { keyNeeds, type S3Operation, s3Needs } from '../../../local/iam/s3-actions';

function operation(method: string, path: string, headers: Record<string, string> = {}): S3Operation {
  const [target, query = ''] = path.split('?');
  const [bucket = '', ...key] = target.split('/');
  return {
    method,
    bucket,
    key: key.join('/'),
    query: new URLSearchParams(query),
    headers,
    tlsVersion: 1.3,
  };
}

const needs = (of: S3Operation): string[] | undefined =>
  s3Needs(of)?.map(({ action, resource }) => `${action} ${resource.replace('arn:aws:s3:::', '')}`);

describe('the permissions of a request', () => {
  test.each<[string, string, string[]]>([
    ['GET', '', ['s3:ListAllMyBuckets *']],
    ['HEAD', 'b', ['s3:ListBucket b']],
    ['GET', 'b?list-type=2', ['s3:ListBucket b']],
    ['GET', 'b?location', ['s3:GetBucketLocation b']],
    ['POST', 'b?delete', ['s3:DeleteObject b/*']],
    ['GET', 'b/k/x', ['s3:GetObject b/k/x']],
    ['HEAD', 'b/k', ['s3:GetObject b/k']],
    ['GET', 'b/k?tagging', ['s3:GetObjectTagging b/k']],
    ['PUT', 'b/k', ['s3:PutObject b/k']],
    ['DELETE', 'b/k', ['s3:DeleteObject b/k']],
    ['POST', 'b/k?uploads', ['s3:PutObject b/k']],
    ['PUT', 'b/k?partNumber=1&uploadId=u', ['s3:PutObject b/k']],
    ['POST', 'b/k?uploadId=u', ['s3:PutObject b/k']],
    ['DELETE', 'b/k?uploadId=u', ['s3:AbortMultipartUpload b/k']],
  ])('%s %s are %j', (method, path, expected) => {
    expect(needs(operation(method, path))).toEqual(expected);
  });

  test('include those on the source of a copy', () => {
    const copySource = { bucket: 'other', key: 'a b/c' };
    expect(needs({ ...operation('PUT', 'b/k'), copySource })).toEqual([
      's3:GetObject other/a b/c',
      's3:PutObject b/k',
    ]);
  });

  test('include reading for a write that depends on the present object', () => {
    expect(needs(operation('PUT', 'b/k', { 'if-match': '"etag"' }))).toEqual([
      's3:PutObject b/k',
      's3:GetObject b/k',
    ]);
    expect(needs(operation('PUT', 'b/k', { 'if-none-match': '*' }))).toEqual(['s3:PutObject b/k']);
    expect(needs(operation('POST', 'b/k?uploadId=u', { 'if-match': '"etag"' }))).toEqual([
      's3:PutObject b/k',
      's3:GetObject b/k',
    ]);
  });

  test('include reading for a deletion of one version only', () => {
    expect(needs(operation('DELETE', 'b/k', { 'if-match': '"etag"' }))).toEqual([
      's3:DeleteObject b/k',
      's3:GetObject b/k',
    ]);
    expect(needs(operation('DELETE', 'b/k', { 'if-match': '*' }))).toEqual(['s3:DeleteObject b/k']);
  });

  test.each([
    ['PUT', 'b'],
    ['PUT', ''],
    ['GET', 'b?acl'],
    ['POST', 'b/k?select'],
    ['PATCH', 'b/k'],
  ])('%s %s are unknown', (method, path) => {
    expect(s3Needs(operation(method, path))).toBeUndefined();
  });

  test('have the condition keys of the transport', () => {
    const contextOf = (of: S3Operation) => s3Needs(of)?.[0].context;
    const plain = { ...operation('GET', 'b/k'), tlsVersion: undefined };
    expect(contextOf(plain)).toEqual({ 'aws:securetransport': 'false' });
    expect(contextOf({ ...plain, tlsVersion: 1.2 })).toEqual({
      'aws:securetransport': 'true',
      's3:tlsversion': '1.2',
    });
  });
});

describe('the uses of keys by a request', () => {
  const authorizer = new Authorizer();
  authorizer.update({
    account: '1',
    region: 'eu-west-1',
    identities: new Map(),
    resources: new Map(),
    bucketKeys: new Map([
      ['b', { keyArn: 'key-b', bucketKeyEnabled: true }],
      ['c', { keyArn: 'key-c', bucketKeyEnabled: false }],
    ]),
  });
  const uses = (of: S3Operation) =>
    keyNeeds(of, authorizer).map(({ action, resource }) => `${action} ${resource}`);

  test.each<[string, string, Record<string, string>, string[]]>([
    ['GET', 'b/k', {}, ['kms:Decrypt key-b']],
    ['HEAD', 'b/k', {}, []],
    ['HEAD', 'b/k', { 'x-amz-checksum-mode': 'ENABLED' }, ['kms:Decrypt key-b']],
    ['PUT', 'b/k', {}, ['kms:GenerateDataKey key-b']],
    ['POST', 'b/k?uploads', {}, ['kms:GenerateDataKey key-b']],
    ['PUT', 'b/k?partNumber=1&uploadId=u', {}, ['kms:Decrypt key-b']],
    ['DELETE', 'b/k', {}, []],
    ['GET', 'b?list-type=2', {}, []],
    ['GET', 'plain/k', {}, []],
  ])('%s %s with %j are %j', (method, path, headers, expected) => {
    expect(uses(operation(method, path, headers))).toEqual(expected);
  });

  test('include that of the key of the source of a copy', () => {
    const copySource = { bucket: 'c', key: 'k' };
    expect(uses({ ...operation('PUT', 'b/k'), copySource })).toEqual([
      'kms:Decrypt key-c',
      'kms:GenerateDataKey key-b',
    ]);
  });

  test('have the encryption context of the bucket or of the object', () => {
    const context = (path: string) => keyNeeds(operation('GET', path), authorizer)[0].context;
    expect(context('b/k')).toMatchObject({
      'kms:viaservice': 's3.eu-west-1.amazonaws.com',
      'kms:encryptioncontext:aws:s3:arn': 'arn:aws:s3:::b',
    });
    expect(context('c/k')).toMatchObject({ 'kms:encryptioncontext:aws:s3:arn': 'arn:aws:s3:::c/k' });
  });
});
