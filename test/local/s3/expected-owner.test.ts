/** The account that a client expects to own the bucket. */
import * as path from 'node:path';
import { HeadBucketCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { BUCKET, clientFor } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';

const ACCOUNT = '123456789012';
let server: S3Server;
let client: S3Client;

beforeAll(async () => {
  const store = new DiskObjectStore(path.join(temporaryFolder(), 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  server = await S3Server.start(store, callers, { account: ACCOUNT });
  client = clientFor(server.endpoint, callers.add());
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

describe.each<[string, (owner: string) => Promise<unknown>]>([
  ['PutObject', (owner) => client.send(new PutObjectCommand({ ...on(owner), Key: 'k', Body: 'x' }))],
  ['HeadBucket', (owner) => client.send(new HeadBucketCommand(on(owner)))],
  ['ListObjectsV2', (owner) => client.send(new ListObjectsV2Command(on(owner)))],
])('%s', (_, send) => {
  it('succeeds for the account of the deployment only', async () => {
    await send(ACCOUNT);
    await expect(send('000000000000')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });
});

function on(ExpectedBucketOwner: string): { Bucket: string; ExpectedBucketOwner: string } {
  return { Bucket: BUCKET, ExpectedBucketOwner };
}
