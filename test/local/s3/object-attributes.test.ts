import { Readable } from 'node:stream';
import { GetObjectAttributesCommand } from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { sendSigned } from '../../support/signed-request';

const s3 = s3Fixture();

beforeAll(() =>
  s3.store.put(BUCKET, 'parts', Readable.from([Buffer.from('abc')]), {
    partwise: { etag: '"etag-3"', parts: [1, 2, 3].map((number) => ({ number, size: 1 })) },
  }),
);

async function partsOf(MaxParts?: number, PartNumberMarker?: string) {
  const { ObjectParts } = await s3.client.send(
    new GetObjectAttributesCommand({
      ...{ Bucket: BUCKET, Key: 'parts', MaxParts, PartNumberMarker },
      ObjectAttributes: ['ObjectParts'],
    }),
  );
  const { IsTruncated, NextPartNumberMarker, Parts = [] } = ObjectParts ?? {};
  return { numbers: Parts.map(({ PartNumber }) => PartNumber), IsTruncated, NextPartNumberMarker };
}

describe('the parts of an object', () => {
  it('are returned page by page', async () => {
    expect(await partsOf()).toMatchObject({ numbers: [1, 2, 3], IsTruncated: false });
    expect(await partsOf(2)).toEqual({ numbers: [1, 2], IsTruncated: true, NextPartNumberMarker: '2' });
    expect(await partsOf(2, '2')).toMatchObject({ numbers: [3], IsTruncated: false });
  });

  it('have no next page after an empty one', async () => {
    expect(await partsOf(0)).toMatchObject({ numbers: [], IsTruncated: false });
  });

  it.each([
    ['x-amz-max-parts', 'abc'],
    ['x-amz-max-parts', '-1'],
    ['x-amz-part-number-marker', 'abc'],
    ['x-amz-part-number-marker', '1.5'],
  ])('need a whole number in %s, not %s', async (name, value) => {
    const headers = { [name]: value, 'x-amz-object-attributes': 'ObjectParts' };
    const { status, body } = await sendSigned(
      s3.server.endpoint,
      { method: 'GET', path: `/${BUCKET}/parts?attributes=`, headers },
      { credentials: s3.credentials },
    );
    expect(status).toBe(400);
    expect(body).toContain('<Code>InvalidArgument</Code>');
    expect(body).toContain(`<ArgumentName>${name}</ArgumentName>`);
  });
});
