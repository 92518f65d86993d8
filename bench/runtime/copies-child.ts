/**
 * Sends a large tensor from S3 through ONNX Runtime and back to S3, as the slice functions do, or in the simple way: the
 * SDK collects the body, and the result's header and bytes are joined. Prints time and memory as JSON.
 */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Session } from '../../lambda/slice/session';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SafetensorsStore } from '../../lambda/store/safetensors-store';
import { peakMemoryBytes } from '../../lambda/telemetry/peak-memory';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';

export type Method = 'functions' | 'simple';

export interface Passage {
  readonly ms: number;
  /** The process's peak resident memory, minus its resident memory before. */
  readonly extraMemoryBytes: number;
}

interface Job {
  readonly method: Method;
  readonly bucket: string;
  /** The small tensor is sent first, so that the code is loaded and compiled before the measurement. */
  readonly keys: { readonly small: string; readonly large: string };
  readonly model: string;
}

/** Reads the tensor `x` of an object, runs the model and writes `y`. */
type Pass = (key: string) => Promise<void>;

async function asFunctions({ bucket, model }: Job): Promise<Pass> {
  const store = new SafetensorsStore(new S3ObjectStore(functionS3Client()), bucket);
  const session = await Session.open({ path: model, threads: 1 });
  return async (key) => {
    const inputs = await (await store.open(key)).read(['x']);
    await store.write(`${key}-out`, await session.run(inputs, ['y']));
  };
}

async function simply({ bucket, model }: Job): Promise<Pass> {
  const client = functionS3Client();
  const session = await Session.open({ path: model, threads: 1 });
  return async (key) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (Body === undefined) throw new Error(`the object ${key} must exist in the bucket, got none`);
    const inputs = decodeSafetensors(await Body.transformToByteArray());
    const out = encodeSafetensors(await session.run(inputs, ['y']));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${key}-out`, Body: out }));
  };
}

async function main(job: Job): Promise<void> {
  const pass = await (job.method === 'functions' ? asFunctions(job) : simply(job));
  await pass(job.keys.small);
  const before = process.memoryUsage.rss();
  const start = performance.now();
  await pass(job.keys.large);
  const ms = performance.now() - start;
  const passage: Passage = { ms, extraMemoryBytes: Math.max(0, peakMemoryBytes() - before) };
  process.stdout.write(JSON.stringify(passage));
  process.exit();
}

if (require.main === module) void main(JSON.parse(process.argv[2]) as Job);
