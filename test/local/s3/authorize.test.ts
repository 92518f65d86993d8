/** Runs the SDK as a role against the local S3. */
import * as path from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  CreateSessionCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { JsonObject } from '../../../local/json';
import { type Access, Authorizer } from '../../../local/iam/authorizer';
import { parsePolicy } from '../../../local/iam/policy';
import { roleSession } from '../../../local/iam/principals';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { clientFor } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';

const ROLE = 'arn:aws:iam::000000000000:role/Reader';
const SESSION = 'arn:aws:sts::000000000000:assumed-role/Reader/fn';
const PLAIN = 'plain';
const ENCRYPTED = 'encrypted';
const DIRECTORY = 'fast--use1-az5--x-s3';
const DIRECTORY_ARN = `arn:aws:s3express:us-east-1:000000000000:bucket/${DIRECTORY}`;
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/k';

const accesses: Access[] = [];
const authorizer = new Authorizer((access) => accesses.push(access));
const callers = new Callers();
let store: DiskObjectStore;
let server: S3Server;
let client: S3Client;

beforeAll(async () => {
  store = new DiskObjectStore(path.join(temporaryFolder(), 's3'));
  for (const bucket of [PLAIN, ENCRYPTED, DIRECTORY]) store.createBucket(bucket);
  server = await S3Server.start(store, callers, { authorizer });
  client = clientFor(server.endpoint, callers.add({ principal: roleSession(ROLE, 'fn') }));
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

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

const put = (bucket: string, key: string) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'body' }));
const get = (bucket: string, key: string) => client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
const used = (): string[] =>
  accesses
    .filter(({ refusal }) => refusal === undefined)
    .map(({ action, resource }) => `${action} ${resource}`);

describe('a role', () => {
  test('reads, writes, deletes and lists only what it may', async () => {
    grant([]);
    await expect(put(PLAIN, 'a')).rejects.toMatchObject(refused('s3:PutObject', '"arn:aws:s3:::plain/a"'));
    await expect(get(PLAIN, 'a')).rejects.toMatchObject(refused('s3:GetObject', '"arn:aws:s3:::plain/a"'));
    await expect(client.send(new DeleteObjectCommand({ Bucket: PLAIN, Key: 'a' }))).rejects.toMatchObject(
      refused('s3:DeleteObject', '"arn:aws:s3:::plain/a"'),
    );
    await expect(client.send(new ListObjectsV2Command({ Bucket: PLAIN }))).rejects.toMatchObject(
      refused('s3:ListBucket', '"arn:aws:s3:::plain"'),
    );
    grant([allow(['s3:PutObject', 's3:GetObject', 's3:DeleteObject'], 'arn:aws:s3:::plain/a')]);
    await put(PLAIN, 'a');
    await get(PLAIN, 'a');
    await client.send(new DeleteObjectCommand({ Bucket: PLAIN, Key: 'a' }));
    await expect(put(PLAIN, 'ab')).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(used()).toEqual(
      ['s3:PutObject', 's3:GetObject', 's3:DeleteObject'].map((a) => `${a} arn:aws:s3:::plain/a`),
    );
  });

  test('lists the prefixes that a condition allows', async () => {
    grant([
      allow('s3:ListBucket', 'arn:aws:s3:::plain', { Condition: { StringLike: { 's3:prefix': 'mine/*' } } }),
    ]);
    await client.send(new ListObjectsV2Command({ Bucket: PLAIN, Prefix: 'mine/1' }));
    await expect(
      client.send(new ListObjectsV2Command({ Bucket: PLAIN, Prefix: 'other/' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('does not learn that a key is missing without s3:ListBucket', async () => {
    grant([allow('s3:GetObject', 'arn:aws:s3:::plain/*')]);
    await expect(get(PLAIN, 'missing')).rejects.toMatchObject(
      refused('s3:ListBucket', '"arn:aws:s3:::plain"'),
    );
    const head = () => client.send(new HeadObjectCommand({ Bucket: PLAIN, Key: 'missing' }));
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    grant([allow('s3:*', 'arn:aws:s3:::plain*')]);
    await expect(get(PLAIN, 'missing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  test('does not learn that the source of a copy is missing without s3:ListBucket on its bucket', async () => {
    const copy = () =>
      client.send(new CopyObjectCommand({ Bucket: PLAIN, Key: 'copy', CopySource: 'encrypted/missing' }));
    const use = allow(['s3:GetObject', 's3:PutObject', 'kms:*'], '*');
    grant([use, allow('s3:ListBucket', 'arn:aws:s3:::plain')]);
    await expect(copy()).rejects.toMatchObject(refused('s3:ListBucket', '"arn:aws:s3:::encrypted"'));
    grant([use, allow('s3:ListBucket', 'arn:aws:s3:::encrypted')]);
    await expect(copy()).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('cannot create a bucket, because the local cloud does not', async () => {
    const create = client.send(new CreateBucketCommand({ Bucket: 'new' }));
    await expect(create).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('CreateBucket') as string,
    });
  });

  test.each(['nothing', '/only-a-bucket', 'bucket/', 'bucket/%zz', 'bucket/%ff'])(
    'learns that the source %j of a copy is malformed',
    async (CopySource) => {
      grant([allow('s3:*', '*')]);
      const copy = client.send(new CopyObjectCommand({ Bucket: PLAIN, Key: 'copy', CopySource }));
      await expect(copy).rejects.toMatchObject({ name: 'InvalidArgument' });
    },
  );

  test('learns that a bucket is missing', async () => {
    grant([]);
    await expect(get('nowhere', 'x')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test("may use what the bucket's policy allows, and nothing that it denies", async () => {
    const role = { Principal: { AWS: ROLE } };
    grant([], [allow('s3:PutObject', 'arn:aws:s3:::plain/*', role)]);
    await put(PLAIN, 'granted');
    grant([allow('s3:*', '*')], [{ ...allow('s3:*', 'arn:aws:s3:::plain/*', role), Effect: 'Deny' }]);
    await expect(put(PLAIN, 'denied')).rejects.toMatchObject(
      refused(
        's3:PutObject',
        '"arn:aws:s3:::plain/denied"',
        'with an explicit deny in a resource-based policy',
      ),
    );
  });

  test('needs the permissions of each request of a multipart upload', async () => {
    const target = { Bucket: PLAIN, Key: 'large' };
    grant([allow('s3:PutObject', 'arn:aws:s3:::plain/large')]);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const upload = { ...target, UploadId };
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }));
    await expect(client.send(new AbortMultipartUploadCommand(upload))).rejects.toMatchObject(
      refused('s3:AbortMultipartUpload', '"arn:aws:s3:::plain/large"'),
    );
    const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await client.send(new CompleteMultipartUploadCommand({ ...upload, ...parts }));
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
    grant([s3, key('kms:Decrypt')]);
    await get(ENCRYPTED, 'a');
    expect(used()).toEqual(['s3:GetObject arn:aws:s3:::encrypted/a', `kms:Decrypt ${KEY}`]);
  });

  test('uses the key that a write names, for its reads as well', async () => {
    const named = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY } as const;
    const write = () =>
      client.send(new PutObjectCommand({ Bucket: PLAIN, Key: 'named', Body: 'body', ...named }));
    grant([s3]);
    await expect(write()).rejects.toMatchObject(refused('kms:GenerateDataKey', KEY));
    grant([s3, key('kms:GenerateDataKey')]);
    expect(await write()).toMatchObject(named);
    await expect(get(PLAIN, 'named')).rejects.toMatchObject(refused('kms:Decrypt', KEY));
    grant([s3, key('kms:Decrypt')]);
    expect(await get(PLAIN, 'named')).toMatchObject(named);
  });

  test('needs no key for a write that asks for keys of S3', async () => {
    grant([s3]);
    const at = { Bucket: ENCRYPTED, Key: 'plain', ServerSideEncryption: 'AES256' } as const;
    await client.send(new PutObjectCommand({ ...at, Body: 'body' }));
    await get(ENCRYPTED, 'plain');
  });

  test('cannot use a key that the deployment does not have', async () => {
    grant([allow('*', '*')]);
    const SSEKMSKeyId = 'arn:aws:kms:us-east-1:111111111111:key/foreign';
    const write = client.send(
      new PutObjectCommand({ Bucket: PLAIN, Key: 'a', ServerSideEncryption: 'aws:kms', SSEKMSKeyId }),
    );
    await expect(write).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining(SSEKMSKeyId) as string,
    });
  });

  test.each([
    [{ ServerSideEncryption: 'foo' as 'AES256' }],
    [{ ServerSideEncryption: 'AES256', SSEKMSKeyId: KEY }],
    [{ SSEKMSKeyId: KEY }],
  ] as const)('cannot ask for the encryption %j', async (encryption) => {
    grant([allow('*', '*')]);
    const write = client.send(new PutObjectCommand({ Bucket: PLAIN, Key: 'a', ...encryption }));
    await expect(write).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test('needs no key for the properties of an object, and none for a missing object', async () => {
    grant([s3, key('kms:GenerateDataKey')]);
    await put(ENCRYPTED, 'head');
    grant([s3]);
    const head = { Bucket: ENCRYPTED, Key: 'head' };
    await client.send(new HeadObjectCommand(head));
    await expect(
      client.send(new HeadObjectCommand({ ...head, ChecksumMode: 'ENABLED' })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    await expect(get(ENCRYPTED, 'missing')).rejects.toMatchObject({ name: 'NoSuchKey' });
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
  async function as(
    statements: readonly JsonObject[],
    use: (own: S3Client) => Promise<unknown>,
  ): Promise<unknown> {
    grant(statements);
    const own = clientFor(server.endpoint, callers.add({ principal: roleSession(ROLE, 'fn') }));
    try {
      return await use(own);
    } finally {
      own.destroy();
    }
  }
  const putHere = (own: S3Client) =>
    own.send(new PutObjectCommand({ Bucket: DIRECTORY, Key: 'a', Body: 'body' }));
  const getHere = (own: S3Client) => own.send(new GetObjectCommand({ Bucket: DIRECTORY, Key: 'a' }));

  test('needs s3express:CreateSession', async () => {
    await expect(as([allow('s3:*', '*')], putHere)).rejects.toMatchObject(
      refused('s3express:CreateSession', `"${DIRECTORY_ARN}"`),
    );
    await as([session()], putHere);
  });

  test('only reads if it may only create sessions that read', async () => {
    await as([session()], putHere);
    await as([session('ReadOnly')], getHere);
    await expect(as([session('ReadOnly')], putHere)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('gets the mode that it asks for, or none', async () => {
    const create = (mode: 'ReadOnly' | 'ReadWrite') => (own: S3Client) =>
      own.send(new CreateSessionCommand({ Bucket: DIRECTORY, SessionMode: mode }));
    await as([session('ReadOnly')], create('ReadOnly'));
    await expect(as([session('ReadOnly')], create('ReadWrite'))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});
