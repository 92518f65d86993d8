/** Each failed request is explained in one line: what was expected, what was got, what to do. */
import * as http from 'node:http';
import type { S3Client } from '@aws-sdk/client-s3';
import { uploadClient } from '../../../bin/upload/s3-client';
import { UploadBucket } from '../../../bin/upload/upload-bucket';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { clientFor } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';
import { BUCKET, makeFile, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();

type Answer = readonly [status: number, code: string, region?: string];

/** The error message if S3 sends this answer. */
async function failure([status, code, region]: Answer): Promise<string> {
  const server = http.createServer((message, response) => {
    message.resume().on('end', () => {
      response.statusCode = status;
      if (region !== undefined) response.setHeader('x-amz-bucket-region', region);
      const body = `<Error><Code>${code}</Code><Message>because\nof it</Message></Error>`;
      response.end(message.method === 'HEAD' ? undefined : body);
    });
  });
  const client = clientFor(`http://127.0.0.1:${await listen(server)}`, s3.credentials);
  try {
    return await messageOf(putFile(client));
  } finally {
    client.destroy();
    await closeServer(server);
  }
}

function putFile(client: S3Client): Promise<void> {
  const task = { ...makeFile(folder, 10), key: 'plan.json' };
  return new UploadBucket(client, BUCKET).putFile(task);
}

async function messageOf(work: Promise<void>): Promise<string> {
  const error = await work.then(
    () => new Error('it worked'),
    (reason: unknown) => reason as Error,
  );
  expect(error.name).toBe('SlicedInferenceError');
  expect(error.message).not.toContain('\n');
  return error.message;
}

const OTHER_REGION = "must be that of bucket 'the-bucket', eu-west-1, got us-east-1: set AWS_REGION to eu-";

test.each<[string, Answer, string]>([
  ['a missing permission', [403, 'AccessDenied'], 's3:PutObject must be allowed for s3://the-bucket/plan.'],
  ["a redirect to the bucket's region", [301, 'PermanentRedirect', 'eu-west-1'], OTHER_REGION],
  ['throttling', [503, 'SlowDown'], "S3 must have capacity for bucket 'the-bucket', got SlowDown"],
  [
    'an expired session',
    [400, 'ExpiredToken'],
    'AWS credentials must be valid, got ExpiredToken (because of it): sign in again',
  ],
  ['a missing bucket', [404, 'NoSuchBucket'], "bucket 'the-bucket' must exist, got NoSuchBucket"],
  ['another error', [400, 'MalformedXML'], 'must accept the request for s3://the-bucket/plan.json, got Mal'],
  ['a signature for another region', [400, 'AuthorizationHeaderMalformed', 'eu-west-1'], OTHER_REGION],
])('explains %s', async (_, answer, message) => {
  expect(await failure(answer)).toContain(message);
});

test('explains a network that does not lead to S3', async () => {
  // The test creates the error, because in Jest errors of real sockets fail `instanceof Error` and the SDK hides them.
  const { client } = s3.connect(() => {
    throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
  });
  expect(await messageOf(putFile(client))).toBe(
    'S3 must be reachable for s3://the-bucket/plan.json, got ECONNREFUSED (connect ECONNREFUSED 127.0.0.1:9): ' +
      'check the network, the proxy and AWS_ENDPOINT_URL_S3, then run the command again to continue',
  );
});

describe('without AWS environment variables', () => {
  const before = { ...process.env };
  beforeAll(() => {
    for (const name of Object.keys(process.env))
      if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' });
  });
  afterAll(() => {
    process.env = before;
  });

  test.each([
    ['credentials', 'us-east-1', /^AWS credentials must be found, got CredentialsProviderError .*: set AWS_/],
    ['a region', undefined, /^the AWS region must be known, got none: set AWS_REGION .*'the-bucket'$/],
  ])('explains that it lacks %s', async (_, region, message) => {
    const client = uploadClient({ endpoint: s3.server.endpoint, ...(region && { region }) });
    expect(await messageOf(putFile(client))).toMatch(message);
    client.destroy();
  });
});
