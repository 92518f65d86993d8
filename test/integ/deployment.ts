/** A deployed pipeline, on AWS or in a local cloud, as callers reach it: through the AWS SDK. */
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
  StartSyncExecutionCommand,
  type SFNClientConfig,
} from '@aws-sdk/client-sfn';
import type { PipelineSignature } from '../../contract/signature';
import { SIGNATURE_KEY } from '../../contract/signature';

export interface Access {
  readonly stateMachineArn: string;
  readonly stepFunctions?: SFNClientConfig;
  readonly s3?: S3ClientConfig;
}

/** How an execution ended, or why it did not start. */
export interface Outcome {
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
  /** JSON. */
  readonly output?: string;
  /** From the start to the end, as the caller sees it. */
  readonly ms: number;
}

/** Longest time of an execution. */
const LIMIT_MS = 300_000;
const POLL_MS = 500;

export class Deployment {
  private constructor(
    private readonly stateMachineArn: string,
    private readonly isExpress: boolean,
    readonly signature: PipelineSignature,
    private readonly stepFunctions: SFNClient,
    private readonly s3: S3Client,
  ) {}

  static async at({ stateMachineArn, stepFunctions = {}, s3 = {} }: Access): Promise<Deployment> {
    // StartSyncExecution's host has a prefix on AWS, which a local endpoint does not have.
    const isLocal = process.env.AWS_ENDPOINT_URL_SFN !== undefined;
    const client = new SFNClient({ ...(isLocal && { disableHostPrefix: true }), ...stepFunctions });
    const { definition = '{}', type } = await client.send(
      new DescribeStateMachineCommand({ stateMachineArn }),
    );
    const { Comment } = JSON.parse(definition) as { Comment: string };
    const { [SIGNATURE_KEY]: signature } = JSON.parse(Comment) as Record<string, PipelineSignature>;
    const forcePathStyle = isLocal || s3.endpoint !== undefined;
    return new Deployment(
      stateMachineArn,
      type === 'EXPRESS',
      signature,
      client,
      new S3Client({ ...(forcePathStyle && { forcePathStyle }), ...s3 }),
    );
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: this.signature.bucket, Key: key, Body: bytes }));
  }

  async get(key: string): Promise<Uint8Array> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.signature.bucket, Key: key }));
    return (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
  }

  /** Never rejects for what AWS answers. */
  async execute(input: string): Promise<Outcome> {
    const start = performance.now();
    try {
      const {
        status = '',
        error,
        cause,
        output,
      } = await (this.isExpress ? this.runSync(input) : this.run(input));
      return {
        status,
        ...(error !== undefined && { error }),
        ...(cause !== undefined && { cause }),
        ...(output !== undefined && { output }),
        ms: performance.now() - start,
      };
    } catch (error) {
      // The exception of the SDK says why the service refused the request.
      const name = error instanceof Error ? error.name : String(error);
      return { status: 'REFUSED', error: name, ms: performance.now() - start };
    }
  }

  private runSync(input: string) {
    const { stateMachineArn } = this;
    return this.stepFunctions.send(new StartSyncExecutionCommand({ stateMachineArn, input }));
  }

  private async run(input: string) {
    const { stateMachineArn } = this;
    const { executionArn } = await this.stepFunctions.send(
      new StartExecutionCommand({ stateMachineArn, input }),
    );
    const end = Date.now() + LIMIT_MS;
    for (;;) {
      await delay(POLL_MS);
      const execution = await this.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING' || Date.now() > end) return execution;
    }
  }
}
