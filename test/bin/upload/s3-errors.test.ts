/** Each failed request is explained in one line: what was expected, what was got, what to do. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { uploadAll, uploadClient, uploadText } from '../../../bin/upload';
import { temporaryFolder } from '../../support/temporary-folder';
import { BUCKET, makeFile, PART, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  readonly region?: string;
}

/** The error message of an upload if S3 sends this answer. */
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
  await uploadAll(client, BUCKET, [makeFile(folder, 10)]);
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
    'a missing permission',
    { status: 403, code: 'AccessDenied', message: 'not\nyours' },
    's3:PutObject must be allowed for s3://the-bucket/plan.json, got AccessDenied (not yours): ' +
      "allow it in your role's policy, and check the policies of the bucket and of its KMS key",
  ],
  [
    "a redirect to the bucket's region",
    { status: 301, code: 'PermanentRedirect', message: 'elsewhere', region: 'eu-west-1' },
    "the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: set AWS_REGION to eu-west-1",
  ],
  [
    "a refusal that names the bucket's region",
    { status: 400, code: 'AuthorizationHeaderMalformed', region: 'eu-west-1' },
    "the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: set AWS_REGION to eu-west-1",
  ],
  [
    'a redirect that names no region',
    { status: 307, code: 'TemporaryRedirect' },
    "the AWS region must be that of bucket 'the-bucket', got us-east-1: set AWS_REGION",
  ],
  [
    'throttling',
    { status: 503, code: 'SlowDown', message: 'reduce' },
    "S3 must have capacity for bucket 'the-bucket', got SlowDown (reduce): " +
      'run the command again later to continue',
  ],
  [
    'an expired session',
    { status: 400, code: 'ExpiredToken', message: 'expired' },
    'AWS credentials must be valid, got ExpiredToken (expired): sign in again',
  ],
  [
    'an unknown access key',
    { status: 403, code: 'InvalidAccessKeyId', message: 'who' },
    'AWS credentials must be valid, got InvalidAccessKeyId (who): check AWS_PROFILE or the access key',
  ],
  [
    'a wrong clock',
    { status: 403, code: 'RequestTimeTooSkewed', message: 'late' },
    "this machine's clock must be right, got RequestTimeTooSkewed (late): set the clock",
  ],
  [
    'a missing KMS key',
    { status: 400, code: 'KMS.NotFoundException', message: 'no key' },
    'the KMS key for s3://the-bucket/plan.json must be usable, got KMS.NotFoundException (no key): ' +
      "check the key's id, region and state",
  ],
  [
    'any other error',
    { status: 400, code: 'MalformedXML', message: 'odd' },
    'S3 must accept the request for s3://the-bucket/plan.json, got MalformedXML (odd): ' +
      'run the command again to continue',
  ],
])('explains %s', async (_, answer, message) => {
  expect(await failure(answer)).toBe(message);
});

test.each<[string, Answer, RegExp]>([
  [
    'a missing permission',
    { status: 403, code: 'AccessDenied', message: 'not yours' },
    /^s3:GetObject and s3:ListBucket must be allowed for s3:.*, got AccessDenied \(not yours\): /,
  ],
  [
    'an expired session',
    { status: 400, code: 'ExpiredToken', message: 'expired' },
    /^AWS credentials must be valid, got ExpiredToken \(expired\): sign in again$/,
  ],
  [
    'another region',
    { status: 400, code: 'AuthorizationHeaderMalformed', region: 'eu-west-1' },
    /^the AWS region must be that of bucket 'the-bucket', eu-west-1, got us-east-1: /,
  ],
])('explains %s, although the response to HEAD has no reason', async (_, answer, message) => {
  expect(await failure(answer, putFile)).toMatch(message);
});

test('explains a missing bucket', async () => {
  const message = await messageOf(uploadText(s3.connect().client, 'another-bucket', 'plan.json', '{}'));
  expect(message).toBe(
    "bucket 'another-bucket' must exist, got NoSuchBucket (The specified bucket does not exist): " +
      'check its name or create it',
  );
  for (const bytes of [10, PART + 1]) {
    const upload = uploadAll(s3.connect().client, 'another-bucket', [makeFile(folder, bytes)]);
    await expect(upload).rejects.toThrow(/^bucket 'another-bucket' must exist, /);
  }
});

test.each([
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9'],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND the-bucket.s3.eu-west-1.amazonaws.com'],
])('explains a network that does not lead to S3: %s', async (code, reason) => {
  // The test creates the error, because in Jest errors of real sockets fail `instanceof Error` and the SDK hides them.
  const { client } = s3.connect(() => {
    throw Object.assign(new Error(reason), { code });
  });
  expect(await messageOf(putText(client))).toBe(
    `S3 must be reachable for s3://the-bucket/plan.json, got ${code} (${reason}): ` +
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

  test('explains missing credentials', async () => {
    const client = uploadClient({ endpoint: s3.server.endpoint, region: 'us-east-1' });
    expect(await messageOf(putText(client))).toBe(
      'AWS credentials must be found, got CredentialsProviderError (Could not load credentials from any providers): ' +
        'set AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  });

  test('explains a missing region', async () => {
    const client = uploadClient({ endpoint: s3.server.endpoint });
    expect(await messageOf(putText(client))).toBe(
      "the AWS region must be known, got none: set AWS_REGION to the region of bucket 'the-bucket'",
    );
  });
});
