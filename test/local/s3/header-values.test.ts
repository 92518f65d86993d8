/** Values that headers cannot hold. */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { type Answer, sendSigned } from '../../support/signed-request';

const s3 = s3Fixture();

/** Presigned URLs have metadata in their queries, where it may be any text. */
function putWithQuery(key: string, metadata: string): Promise<Answer> {
  const path = `/${BUCKET}/${key}?x-amz-meta-q=${encodeURIComponent(metadata)}`;
  return sendSigned(s3.server.endpoint, { method: 'PUT', path, body: 'x' }, { credentials: s3.credentials });
}

const metadataOf = async (Key: string) =>
  (await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }))).Metadata;

describe('metadata outside of ASCII', () => {
  it.each([
    ['日本', '=?UTF-8?B?5pel5pys?='],
    ['é', '=?UTF-8?B?w6k=?='],
  ])('of a presigned URL comes back mail-safe (%s)', async (text, encoded) => {
    expect((await putWithQuery('presigned', text)).status).toBe(200);
    expect(await metadataOf('presigned')).toEqual({ q: encoded });
  });

  it('of a header comes back mail-safe', async () => {
    await s3.client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'header', Body: 'x', Metadata: { u: 'é', plain: 'e' } }),
    );
    expect(await metadataOf('header')).toEqual({ u: '=?UTF-8?B?w6k=?=', plain: 'e' });
  });

  it('is refused if it has a line break', async () => {
    const answer = await putWithQuery('lines', 'a\nb');
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<Code>InvalidArgument</Code>');
    await expect(metadataOf('lines')).rejects.toMatchObject({ name: 'NotFound' });
  });
});

describe('a header that a request asks for', () => {
  it.each(['attachment; filename="日本.txt"', 'a\nb'])('must fit into a header (%j)', async (value) => {
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'file', Body: 'x' }));
    const get = new GetObjectCommand({ Bucket: BUCKET, Key: 'file', ResponseContentDisposition: value });
    await expect(s3.client.send(get)).rejects.toMatchObject({
      name: 'InvalidArgument',
      message: 'Header value cannot be represented using ISO-8859-1.',
      $metadata: { httpStatusCode: 400 },
    });
  });
});
