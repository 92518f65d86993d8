/** What a tensor costs on its way: bytes against raw ones and against JSON text, and time and memory to write and read. */
import { formatTable } from '../../bin/format';
import type { NumericTensor } from '../../client';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { TensorStore } from '../../lambda/store/tensor-store';
import { layoutSafetensors } from '../../lambda/tensors/safetensors';
import { formatSpread, spread } from '../measure';

export interface S3Bucket {
  readonly bucket: string;
  readonly environment: Readonly<Record<string, string>>;
}

function activations(elements: number): NumericTensor {
  // What activations look like: of both signs, with all digits.
  const values = Float32Array.from({ length: elements }, (_, index) => Math.sin(index * 1.618) * 3);
  return { dtype: 'float32', shape: [1, elements], bytes: new Uint8Array(values.buffer) };
}

export async function benchTensors({ bucket, environment }: S3Bucket, rounds: number): Promise<string> {
  Object.assign(process.env, environment);
  const store = new TensorStore(new S3ObjectStore(functionS3Client()), bucket);
  const rows: string[][] = [];
  for (const megabytes of [0.5, 8, 64]) {
    const tensor = activations((megabytes * 1e6) / 4);
    const tensors = new Map([['hidden', tensor]]);
    const raw = tensor.bytes.byteLength;
    const parts = layoutSafetensors(tensors);
    const json = Buffer.byteLength(JSON.stringify([...new Float32Array(tensor.bytes.buffer)]));
    const shared = parts.some((part) => part.buffer === tensor.bytes.buffer);
    const times = { encode: [] as number[], write: [] as number[], read: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const key = `tensors/${megabytes}-${round}`;
      times.encode.push(await milliseconds(() => Promise.resolve(layoutSafetensors(tensors))));
      times.write.push(await milliseconds(() => store.write(key, tensors)));
      times.read.push(await milliseconds(async () => (await store.open(key)).read(['hidden'])));
    }
    const size = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    rows.push([
      `${megabytes} MB`,
      (size / raw).toFixed(5),
      (json / size).toFixed(1),
      shared ? 'the tensor itself' : 'a copy',
      formatSpread(spread(times.encode), 2),
      formatSpread(spread(times.write), 1),
      formatSpread(spread(times.read), 1),
    ]);
  }
  return formatTable(
    ['float32', 'to raw', 'JSON is larger by', 'body is', 'encode ms', 'write ms', 'read ms'],
    rows,
  );
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
