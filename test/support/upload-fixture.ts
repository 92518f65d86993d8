/** Starts a local S3, and creates clients that record or disturb requests, and files to upload. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { UploadTask } from '../../bin/upload/checked-content';
import { uploadClient } from '../../bin/upload/s3-client';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture';

export { BUCKET } from './s3-fixture';

/** The size in bytes of the parts of a large file. */
export const PART = 8 * 1024 * 1024;

/** A call of the SDK: the name of its command without `Command`, and its input. */
interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export function uploadFixture() {
  const fixture = s3Fixture();
  const clients: S3Client[] = [];
  const environment = { ...process.env };
  process.env.AWS_ACCESS_KEY_ID = fixture.credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = fixture.credentials.secretAccessKey;
  afterAll(() => {
    for (const client of clients) client.destroy();
    process.env = environment;
  });
  /** Creates a client like that of the command line. @param before runs before a call is sent; throws to fail it */
  const connect = (before: (call: Call) => void = () => undefined, endpoint = fixture.server.endpoint) => {
    const client = uploadClient({ endpoint, region: 'us-east-1' });
    clients.push(client);
    const calls: Call[] = [];
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const call = { name: String(context.commandName).replace(/Command$/, ''), input: { ...args.input } };
        calls.push(call);
        before(call);
        return next(args);
      },
      { step: 'initialize' },
    );
    return {
      client,
      calls,
      /** Names of the calls in order, without consecutive repetitions. */
      names: () => calls.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1]),
      /** Numbers of the parts that were sent, in ascending order. */
      partNumbers: () => parts(calls).sort((a, b) => a - b),
    };
  };
  return Object.assign(fixture, { connect });
}

function parts(calls: readonly Call[]): number[] {
  return calls.flatMap(({ name, input }) => (name === 'UploadPart' ? [input.PartNumber as number] : []));
}

/** Writes a file of random bytes, and returns the task to upload it. */
export function makeFile(folder: string, bytes: number): UploadTask & { readonly content: Buffer } {
  const content = randomBytes(bytes);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const file = path.join(folder, sha256);
  fs.writeFileSync(file, content);
  return { file, bytes, sha256, key: `models/${sha256}.bin`, content };
}

export async function contentOf(client: S3Client, key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** The number of objects and parts that the local S3 holds. */
export function storedFiles({ folder }: S3Fixture): number {
  return fs.readdirSync(path.join(folder, 's3')).length;
}
