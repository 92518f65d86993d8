/** Each failure of a request comes as one line that says what was needed, what came and what to do. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { uploadClient, uploadText } from '../../../bin/upload';
import { temporaryFolder } from '../../support/temporary-folder';
import { BUCKET, makeFile, uploadFile, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  readonly region?: string;
}

/** What an upload of a text says when S3 answers so, once. */
async function failure(answer: Answer, act = putText): Promise<string> {
  const server = http.createServer((message, response) => {
    message.resume().on('end', () => {
      response.statusCode = answer.status;
      if (answer.region !== undefined) response.setHeader('x-amz-bucket-region', answer.region);
      const body = `<Error><Code>${answer.code}</Code><Message>${answer.message ?? ''}</Message></Error>`;
      response.end(message.method === 'HEAD' ? undefined : body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    maxAttempts: 1,
  });
  try {
    return await messageOf(act(client));
  } finally {
    client.destroy();
    server.close();
    server.closeAllConnections();
  }
}

function putText(client: S3Client): Promise<void> {
  return uploadText(client, BUCKET, 'plan.json', '{}');
}

async function putFile(client: S3Client): Promise<void> {
  await uploadFile(client, BUCKET, makeFile(folder, 10));
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

test.each<[string, Answer, string]>([
  [
    'a permission that lacks',
    { status: 403, code: 'AccessDenied', message: 'not\nyours' },
    's3:PutObject must be allowed for s3://the-bucket/plan.json, got AccessDenied (not yours): ' +
      "add it to your role's policy, or check the bucket's policy and its key's",
  ],
  [
    'a bucket of another region, by a redirect',
    { status: 301, code: 'PermanentRedirect', message: 'elsewhere', region: 'eu-west-1' },
    "the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: set AWS_REGION to eu-west-1",
  ],
  [
    'a bucket of another region, by a refusal',
    { status: 400, code: 'AuthorizationHeaderMalformed', region: 'eu-west-1' },
    "the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: set AWS_REGION to eu-west-1",
  ],
  [
    'a redirect that does not say where to',
    { status: 307, code: 'TemporaryRedirect' },
    "the AWS region must be that of bucket 'the-bucket', got us-east-1: set AWS_REGION",
  ],
  [
    'throttling',
    { status: 503, code: 'SlowDown', message: 'reduce' },
    "S3 must have capacity for bucket 'the-bucket', got SlowDown (reduce): " +
      'run the command again in a while, which goes on from here',
  ],
  [
    'a session that has ended',
    { status: 400, code: 'ExpiredToken', message: 'expired' },
    'AWS credentials must be valid, got ExpiredToken (expired): sign in again',
  ],
  [
    'a key that is not known',
    { status: 403, code: 'InvalidAccessKeyId', message: 'who' },
    'AWS credentials must be valid, got InvalidAccessKeyId (who): check AWS_PROFILE or the access key',
  ],
  [
    'a clock that is wrong',
    { status: 403, code: 'RequestTimeTooSkewed', message: 'late' },
    "this machine's clock must be right, got RequestTimeTooSkewed (late): set it",
  ],
  [
    'a KMS key that is not there',
    { status: 400, code: 'KMS.NotFoundException', message: 'no key' },
    'the KMS key for s3://the-bucket/plan.json must be usable, got KMS.NotFoundException (no key): ' +
      "check the key's id, region and state",
  ],
  [
    'anything else',
    { status: 400, code: 'MalformedXML', message: 'odd' },
    'S3 must accept the request for s3://the-bucket/plan.json, got MalformedXML (odd): ' +
      'run the command again, which goes on from here',
  ],
])('%s', async (_, answer, message) => {
  expect(await failure(answer)).toBe(message);
});

test.each<[string, Answer, RegExp]>([
  [
    'a permission that lacks',
    { status: 403, code: 'AccessDenied', message: 'not yours' },
    /^s3:GetObject and s3:ListBucket must be allowed for s3:.*, got AccessDenied \(not yours\): /,
  ],
  [
    'a session that has ended',
    { status: 400, code: 'ExpiredToken', message: 'expired' },
    /^AWS credentials must be valid, got ExpiredToken \(expired\): sign in again$/,
  ],
  [
    'another region',
    { status: 400, code: 'AuthorizationHeaderMalformed', region: 'eu-west-1' },
    /^the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: /,
  ],
])('%s, though a HEAD does not say why it is refused', async (_, answer, message) => {
  expect(await failure(answer, putFile)).toMatch(message);
});

test('a bucket that is not there', async () => {
  const message = await messageOf(uploadText(s3.connect().client, 'another-bucket', 'plan.json', '{}'));
  expect(message).toBe(
    "bucket 'another-bucket' must exist, got NoSuchBucket (there is no bucket 'another-bucket'): " +
      'check its name, or make it before',
  );
  for (const bytes of [10, 6 * 1024 * 1024]) {
    const upload = uploadFile(s3.connect().client, 'another-bucket', makeFile(folder, bytes), {
      partBytes: 5 * 1024 * 1024,
    });
    await expect(upload).rejects.toThrow(/^bucket 'another-bucket' must exist, /);
  }
});

test.each([
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9'],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND the-bucket.s3.eu-west-1.amazonaws.com'],
])('a network that does not lead to S3: %s', async (code, reason) => {
  // Made here: Jest's modules do not know the errors of Node's own sockets as errors, and the SDK hides them then.
  const { client } = s3.connect(() => {
    throw Object.assign(new Error(reason), { code });
  });
  expect(await messageOf(putText(client))).toBe(
    `S3 must be reachable for s3://the-bucket/plan.json, got ${code} (${reason}): ` +
      'check the network, its proxy and AWS_ENDPOINT_URL_S3; the command goes on from here when run again',
  );
});

describe('where nothing is set', () => {
  const before = { ...process.env };
  beforeAll(() => {
    for (const name of Object.keys(process.env))
      if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' });
  });
  afterAll(() => {
    process.env = before;
  });

  test('credentials', async () => {
    const client = uploadClient({ endpoint: s3.server.endpoint, region: 'us-east-1' });
    expect(await messageOf(putText(client))).toBe(
      'AWS credentials must be found, got CredentialsProviderError (Could not load credentials from any providers): ' +
        'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  });

  test('the region', async () => {
    const client = uploadClient({ endpoint: s3.server.endpoint });
    expect(await messageOf(putText(client))).toBe(
      "the AWS region must be known, got none: set AWS_REGION to that of bucket 'the-bucket'",
    );
  });
});
