/**
 * A naive slice function, as in research prototypes: it reads the model with embedded weights into a buffer, creates the
 * session from the buffer, and stores tensors as JSON in S3. It is the baseline of `bench:runtime`.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface NaiveEvent {
  readonly run: string;
  readonly input: string;
}

/** Tensors as JSON; int64 elements are numbers too. */
type JsonTensors = Readonly<Record<string, { type: string; dims: number[]; data: number[] }>>;

const s3 = new S3Client();
const bucket = process.env.BUCKET ?? '';
const slice = Number(process.env.SLICE);
const sources = JSON.parse(process.env.SOURCES ?? '{}') as Readonly<Record<string, number | 'request'>>;
const outputs = JSON.parse(process.env.OUTPUTS ?? '[]') as readonly string[];
let session: InferenceSession | undefined;

async function get(key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (Body === undefined) throw new Error(`the object ${key} must exist in the bucket, got none`);
  return await Body.transformToByteArray();
}

function keyOf(source: number | 'request', { run, input }: NaiveEvent): string {
  return source === 'request' ? input : `naive/${run}/${source}.json`;
}

export async function handler(event: NaiveEvent): Promise<{ key: string; rss: number }> {
  session ??= await InferenceSession.create(await get(`models/${slice}.onnx`), { intraOpNumThreads: 1 });
  const objects = new Map<string, JsonTensors>();
  const feeds: Record<string, Tensor> = {};
  for (const [name, source] of Object.entries(sources)) {
    const key = keyOf(source, event);
    const tensors = objects.get(key) ?? (JSON.parse(Buffer.from(await get(key)).toString()) as JsonTensors);
    objects.set(key, tensors);
    const { type, dims, data } = tensors[name];
    feeds[name] =
      type === 'int64'
        ? new Tensor(type, BigInt64Array.from(data, BigInt), dims)
        : new Tensor('float32', Float32Array.from(data), dims);
  }
  const results = await session.run(feeds, outputs);
  const written = Object.fromEntries(
    outputs.map((name) => {
      const { type, dims, data } = results[name];
      return [name, { type, dims, data: Array.from(data as Float32Array) }];
    }),
  );
  const key = keyOf(slice, event);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(written) }));
  return { key, rss: process.resourceUsage().maxRSS * 1024 };
}
