/** Runs the SDK as a role against the local S3. */
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import type { JsonObject } from '../../../local/json';
import { type Access, Authorizer } from '../../../local/iam/authorizer';
import { parsePolicy } from '../../../local/iam/policy';
import { roleSession } from '../../../local/iam/principals';
import { clientFor, s3Fixture } from '../../support/s3-fixture';

const ROLE = 'arn:aws:iam::000000000000:role/Reader';
const SESSION = 'arn:aws:sts::000000000000:assumed-role/Reader/fn';
const PLAIN = 'plain';
const ENCRYPTED = 'encrypted';
const DIRECTORY = 'fast--use1-az5--x-s3';
const DIRECTORY_ARN = `arn:aws:s3express:us-east-1:000000000000:bucket/${DIRECTORY}`;
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/k';

const accesses: Access[] = [];
const authorizer = new Authorizer((access) => accesses.push(access));
const caller = { principal: roleSession(ROLE, 'fn') };
const fixture = s3Fixture({ authorizer, caller });
const { client } = fixture;
for (const bucket of [PLAIN, ENCRYPTED, DIRECTORY]) fixture.store.createBucket(bucket);

const allow = (action: string | string[], resource: string, more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
  ...more,
});

/** Gives the role these statements, and the plain bucket these. */
function grant(statements: readonly JsonObject[], bucketStatements: readonly JsonObject[] = []): void {
  const identity = { policies: [parsePolicy({ Statement: statements }, 'the role')] };
  const bucketPolicy = parsePolicy({ Statement: bucketStatements }, 'the bucket');
  authorizer.update({
    account: '000000000000',
    region: 'us-east-1',
    identities: new Map([[ROLE, identity]]),
    resources: new Map([[`arn:aws:s3:::${PLAIN}`, bucketPolicy]]),
    bucketKeys: new Map([[ENCRYPTED, { keyArn: KEY, bucketKeyEnabled: true }]]),
  });
  accesses.length = 0;
}

function refused(
  action: string,
  resource: string,
  why = `because no identity-based policy allows the ${action} action`,
) {
  return {
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
    message: `User: ${SESSION} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
  };
}

const put = (bucket: string, key: string, more: Partial<PutObjectCommandInput> = {}) =>
  client.putObject({ Bucket: bucket, Key: key, Body: 'body', ...more });
const get = (bucket: string, key: string) => client.getObject({ Bucket: bucket, Key: key });

describe('in a bucket with a key, an operation needs exactly its permissions:', () => {
  const at = { Bucket: ENCRYPTED, Key: 'k' };
  let UploadId: string | undefined;
  let aborted: string | undefined;
  let ETag: string | undefined;

  beforeAll(async () => {
    grant([allow('*', '*')]);
    ({ UploadId } = await client.createMultipartUpload(at));
    ({ UploadId: aborted } = await client.createMultipartUpload(at));
    ({ ETag } = await client.uploadPart({ ...at, PartNumber: 1, UploadId, Body: 'x' }));
    await put(ENCRYPTED, 'k');
  });

  const ifMatch = () => ({ IfMatch: fixture.store.head(ENCRYPTED, 'k').etag });
  const parts = () => ({ Parts: [{ PartNumber: 1, ETag }] });

  test.each<[string, string, () => Promise<unknown>]>([
    ['ListBuckets', 's3:ListAllMyBuckets *', () => client.listBuckets()],
    ['HeadBucket', 's3:ListBucket encrypted', () => client.headBucket(at)],
    ['ListObjectsV2', 's3:ListBucket encrypted', () => client.listObjectsV2(at)],
    ['HeadObject', 's3:GetObject encrypted/k', () => client.headObject(at)],
    [
      'HeadObject with its checksum',
      's3:GetObject encrypted/k, kms:Decrypt',
      () => client.headObject({ ...at, ChecksumMode: 'ENABLED' }),
    ],
    ['GetObject', 's3:GetObject encrypted/k, kms:Decrypt', () => get(ENCRYPTED, 'k')],
    ['PutObject', 's3:PutObject encrypted/new, kms:GenerateDataKey', () => put(ENCRYPTED, 'new')],
    [
      'PutObject of a version',
      's3:PutObject encrypted/k, s3:GetObject encrypted/k, kms:GenerateDataKey',
      () => put(ENCRYPTED, 'k', ifMatch()),
    ],
    [
      'CreateMultipartUpload',
      's3:PutObject encrypted/k, kms:GenerateDataKey',
      () => client.createMultipartUpload(at),
    ],
    [
      'UploadPart',
      's3:PutObject encrypted/k, kms:Decrypt',
      () => client.uploadPart({ ...at, UploadId, PartNumber: 2, Body: 'x' }),
    ],
    [
      'CompleteMultipartUpload of a version',
      's3:PutObject encrypted/k, s3:GetObject encrypted/k, kms:Decrypt',
      () => client.completeMultipartUpload({ ...at, UploadId, ...ifMatch(), MultipartUpload: parts() }),
    ],
    [
      'AbortMultipartUpload',
      's3:AbortMultipartUpload encrypted/k',
      () => client.abortMultipartUpload({ ...at, UploadId: aborted }),
    ],
    ['DeleteObject', 's3:DeleteObject encrypted/k', () => client.deleteObject(at)],
  ])('%s: %s', async (_, expected, run) => {
    grant([allow('*', '*')]);
    await run();
    const used = accesses.map(({ action, resource }) =>
      resource === KEY ? action : `${action} ${resource.replace('arn:aws:s3:::', '')}`,
    );
    expect(used.join(', ')).toBe(expected);
  });
});

describe('a role', () => {
  test('does not learn that a key is missing without s3:ListBucket', async () => {
    grant([allow('s3:GetObject', 'arn:aws:s3:::plain/*')]);
    const unlisted = refused('s3:ListBucket', '"arn:aws:s3:::plain"');
    await expect(get(PLAIN, 'missing')).rejects.toMatchObject(unlisted);
    const head = () => client.headObject({ Bucket: PLAIN, Key: 'missing' });
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    grant([allow('s3:*', 'arn:aws:s3:::plain*')]);
    await expect(get(PLAIN, 'missing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  test('learns that a bucket is missing', async () => {
    grant([]);
    await expect(get('nowhere', 'x')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test("may use what the bucket's policy allows, and nothing that it denies", async () => {
    const role = { Principal: { AWS: ROLE } };
    grant([], [allow('s3:PutObject', 'arn:aws:s3:::plain/*', role)]);
    await put(PLAIN, 'granted');
    grant([allow('s3:*', '*')], [{ ...allow('s3:*', 'arn:aws:s3:::plain/*', role), Effect: 'Deny' }]);
    const why = 'with an explicit deny in a resource-based policy';
    const denied = refused('s3:PutObject', '"arn:aws:s3:::plain/denied"', why);
    await expect(put(PLAIN, 'denied')).rejects.toMatchObject(denied);
  });
});

describe('in a bucket with a key, a role', () => {
  const s3 = allow('s3:*', '*');
  const key = (action: string, service = 's3.*') =>
    allow(action, KEY, { Condition: { StringLike: { 'kms:ViaService': service } } });

  test('writes with kms:GenerateDataKey and reads with kms:Decrypt', async () => {
    grant([s3]);
    await expect(put(ENCRYPTED, 'a')).rejects.toMatchObject(refused('kms:GenerateDataKey', KEY));
    grant([s3, key('kms:GenerateDataKey')]);
    await put(ENCRYPTED, 'a');
    await expect(get(ENCRYPTED, 'a')).rejects.toMatchObject(refused('kms:Decrypt', KEY));
    grant([s3, key('kms:Decrypt', 'lambda.*')]);
    await expect(get(ENCRYPTED, 'a')).rejects.toMatchObject(refused('kms:Decrypt', KEY));
    const wholeBucket = { 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::encrypted' };
    grant([s3, allow('kms:Decrypt', KEY, { Condition: { StringEquals: wholeBucket } })]);
    await get(ENCRYPTED, 'a');
    await expect(get(ENCRYPTED, 'missing')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('uses the key that a write names, for its reads as well', async () => {
    const named = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY } as const;
    grant([s3]);
    await expect(put(PLAIN, 'named', named)).rejects.toMatchObject(refused('kms:GenerateDataKey', KEY));
    grant([s3, key('kms:GenerateDataKey')]);
    expect(await put(PLAIN, 'named', named)).toMatchObject(named);
    await expect(get(PLAIN, 'named')).rejects.toMatchObject(refused('kms:Decrypt', KEY));
    const oneObject = { 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::plain/named' };
    grant([s3, allow('kms:Decrypt', KEY, { Condition: { StringEquals: oneObject } })]);
    expect(await get(PLAIN, 'named')).toMatchObject(named);
  });

  test('cannot use a key that the deployment does not have', async () => {
    grant([allow('*', '*')]);
    const SSEKMSKeyId = 'arn:aws:kms:us-east-1:111111111111:key/foreign';
    await expect(put(PLAIN, 'a', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId })).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining(SSEKMSKeyId) as string,
    });
  });

  test.each([
    [{ ServerSideEncryption: 'foo' as 'AES256' }, 'NotImplemented'],
    [{ ServerSideEncryption: 'AES256', SSEKMSKeyId: KEY }, 'InvalidArgument'],
    [{ SSEKMSKeyId: KEY }, 'InvalidArgument'],
  ] as const)('cannot ask for the encryption %j', async (encryption, name) => {
    grant([allow('*', '*')]);
    await expect(put(PLAIN, 'a', encryption)).rejects.toMatchObject({ name });
  });
});

describe('in a directory bucket, a role', () => {
  const session = (mode?: string) =>
    allow(
      's3express:CreateSession',
      DIRECTORY_ARN,
      mode === undefined ? {} : { Condition: { StringEquals: { 's3express:SessionMode': mode } } },
    );
  /** Each client keeps its session. */
  async function as(statements: readonly JsonObject[], use: (own: S3) => Promise<unknown>): Promise<unknown> {
    grant(statements);
    const own = clientFor(fixture.server.endpoint, fixture.callers.add(caller));
    try {
      return await use(own);
    } finally {
      own.destroy();
    }
  }
  const putHere = (own: S3) => own.putObject({ Bucket: DIRECTORY, Key: 'a', Body: 'body' });
  const getHere = (own: S3) => own.getObject({ Bucket: DIRECTORY, Key: 'a' });
  const create = (mode: 'ReadOnly' | 'ReadWrite') => (own: S3) =>
    own.createSession({ Bucket: DIRECTORY, SessionMode: mode });

  test('needs s3express:CreateSession', async () => {
    await expect(as([allow('s3:*', '*')], putHere)).rejects.toMatchObject(
      refused('s3express:CreateSession', `"${DIRECTORY_ARN}"`),
    );
    await as([session()], putHere);
  });

  test('only reads if it may only create sessions that read', async () => {
    await as([session()], putHere);
    await as([session('ReadOnly')], getHere);
    await as([session('ReadOnly')], create('ReadOnly'));
    for (const use of [putHere, create('ReadWrite')])
      await expect(as([session('ReadOnly')], use)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});
