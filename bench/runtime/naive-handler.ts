/**
 * A slice function of the obvious kind, as research prototypes have it: the model with its weights inside is read into
 * a buffer, the session is made from that, and tensors are JSON text in S3. The baseline of `bench:runtime`.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface NaiveEvent {
  readonly run: string;
  readonly input: string;
}

/** Numbers of float32 as JSON has them: int64 as numbers too. */
type JsonTensors = Readonly<Record<string, { type: string; dims: number[]; data: number[] }>>;

const s3 = new S3Client();
const bucket = process.env.BUCKET ?? '';
const slice = Number(process.env.SLICE);
const sources = JSON.parse(process.env.SOURCES ?? '{}') as Readonly<Record<string, number | 'request'>>;
const outputs = JSON.parse(process.env.OUTPUTS ?? '[]') as readonly string[];
let session: InferenceSession | undefined;

async function get(key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (Body === undefined) throw new Error(`there is no ${key}`);
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
  const made = await session.run(feeds, outputs);
  const written = Object.fromEntries(
    outputs.map((name) => {
      const { type, dims, data } = made[name];
      return [name, { type, dims, data: Array.from(data as Float32Array) }];
    }),
  );
  const key = keyOf(slice, event);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(written) }));
  return { key, rss: process.resourceUsage().maxRSS * 1024 };
}
