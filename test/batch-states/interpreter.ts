/** moto's interpreter of state machines, with its S3: see `moto/interpreter.py`. */
import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SFN } from '@aws-sdk/client-sfn';
import type { Json, JsonObject } from '../../local/json';
import type { ExecutionResult } from '../../local';

const REGION = 'us-east-1';
const ROLE = 'arn:aws:iam::123456789012:role/any';

export class Interpreter {
  readonly s3: S3Client;
  private readonly stepFunctions: SFN;

  static async start(python: string, lambdaEndpoint: string): Promise<Interpreter> {
    const env = { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', LAMBDA_ENDPOINT: lambdaEndpoint };
    // It ends with its standard input, however this process ends.
    const child = spawn(python, [path.join(__dirname, 'moto/interpreter.py')], {
      ...{ env, stdio: ['pipe', 'pipe', 'inherit'] },
    });
    for await (const line of createInterface(child.stdout)) return new Interpreter(child, line);
    throw new Error('moto must print its address, got no output: read its messages above');
  }

  private constructor(
    private readonly moto: ChildProcess,
    readonly endpoint: string,
  ) {
    const settings = {
      endpoint,
      region: REGION,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    };
    this.s3 = new S3Client({ ...settings, forcePathStyle: true });
    this.stepFunctions = new SFN({ ...settings, disableHostPrefix: true });
  }

  end(): void {
    this.s3.destroy();
    this.stepFunctions.destroy();
    this.moto.stdin?.end();
  }

  /** The variables with which functions reach S3. */
  get environment(): Record<string, string> {
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
    return { ...keys, AWS_REGION: REGION, AWS_ENDPOINT_URL: this.endpoint };
  }

  async createMachine(name: string, definition: JsonObject): Promise<string> {
    const text = JSON.stringify(definition);
    const made = await this.stepFunctions.createStateMachine({ name, definition: text, roleArn: ROLE });
    return made.stateMachineArn ?? '';
  }

  async run(stateMachineArn: string, name: string, input: Json): Promise<ExecutionResult> {
    const started = { stateMachineArn, name, input: JSON.stringify(input) };
    const { executionArn = '' } = await this.stepFunctions.startExecution(started);
    for (;;) {
      const described = await this.stepFunctions.describeExecution({ executionArn });
      const { status, output = 'null', error = '', cause = '' } = described;
      if (status === 'SUCCEEDED') return { status, executionArn, output: JSON.parse(output) as Json };
      if (status !== 'RUNNING') return { status: 'FAILED', executionArn, error, cause };
      await setTimeout(10);
    }
  }

  async createBucket(Bucket: string): Promise<void> {
    await this.s3.send(new CreateBucketCommand({ Bucket }));
  }

  async put(Bucket: string, Key: string, body: Uint8Array | string): Promise<void> {
    // The SDK warns of an empty text.
    const Body = Buffer.from(body as Uint8Array);
    await this.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  }

  async get(Bucket: string, Key: string): Promise<Buffer> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** At most a thousand. */
  async list(Bucket: string, Prefix: string) {
    return (await this.s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? [];
  }
}
