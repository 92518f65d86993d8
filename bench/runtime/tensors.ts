/** Measures stored tensors: their size against raw bytes and JSON, and the time and memory to write and read them. */
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SafetensorsStore } from '../../lambda/store/safetensors-store';
import { crc32 } from '../../lambda/tensors/crc32';
import { layoutSafetensors } from '../../lambda/tensors/safetensors';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import { activations } from './activations';
import { benchCopies } from './copies';
import { LeanClient, type LeanClientOptions } from './lean-client';
import { benchSend } from './send';

export interface S3Bucket extends LeanClientOptions {
  readonly bucket: string;
}

/** Number of writes and reads of half a megabyte, enough for percentiles. */
const CALLS = 100;

/** @param folder folder for other files */
export async function benchTensors(folder: string, options: S3Bucket, rounds: number): Promise<string> {
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = options;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  const store = new SafetensorsStore(new S3ObjectStore(functionS3Client()), bucket);
  const rows: string[][] = [];
  for (const megabytes of [0.5, 8, 64]) {
    const tensor = activations((megabytes * 1e6) / 4);
    const tensors = new Map([['hidden', tensor]]);
    const raw = tensor.bytes.byteLength;
    const { parts } = layoutSafetensors(tensors);
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
  const table = formatTable(
    ['float32', 'size / raw size', 'JSON size / size', 'body is', 'encode ms', 'write ms', 'read ms'],
    rows,
  );
  const others = [
    await benchCopies(folder, bucket, rounds),
    await benchSend(rounds),
    await checksums(options, 5 * rounds),
    await clients(store, options),
  ];
  return [table, ...others].join('\n\n');
}

/** Measures what checksums add to the time of a read, and what share of the time of a write and a read they are. */
async function checksums({ bucket }: S3Bucket, rounds: number): Promise<string> {
  const objects = new S3ObjectStore(functionS3Client());
  const store = new SafetensorsStore(objects, bucket);
  const rows: string[][] = [];
  for (const megabytes of [0.5, 8, 64]) {
    const tensor = activations((megabytes * 1e6) / 4);
    const tensors = new Map([['hidden', tensor]]);
    const [header, bytes] = layoutSafetensors(tensors).parts;
    // The same file with other names for the checksums, so that the reader does not find them.
    const unchecked = [
      Buffer.from(Buffer.from(header).toString('latin1').replaceAll('_crc32', '_xxx32'), 'latin1'),
      bytes,
    ];
    const sum = crc32(bytes, crc32(unchecked[0]));
    const times = {
      crc32: [] as number[],
      write: [] as number[],
      withOut: [] as number[],
      withThem: [] as number[],
    };
    for (let round = 0; round < rounds; round++) {
      const key = `checksums/${megabytes}-${round}`;
      times.crc32.push(await milliseconds(() => Promise.resolve(crc32(bytes))));
      times.write.push(await milliseconds(() => store.write(key, tensors)));
      await objects.putIfAbsent(store.reference(`${key}-without`), unchecked, sum);
      const reads = [
        { key, samples: times.withThem },
        { key: `${key}-without`, samples: times.withOut },
      ];
      // In turns, because the second one finds the processor's caches and the file in memory.
      for (const read of round % 2 === 0 ? reads : reads.reverse()) {
        read.samples.push(await milliseconds(async () => (await store.open(read.key)).read(['hidden'])));
      }
    }
    const [of, write, withOut, withThem] = Object.values(times).map(spread);
    rows.push([
      `${megabytes} MB`,
      (of.median / megabytes).toFixed(3),
      (of.median / write.median).toFixed(3),
      (withThem.median / withOut.median).toFixed(3),
    ]);
  }
  return formatTable(['checksum of', 'ms per MB', 'share of a write', 'read with checksum / without'], rows);
}

/** Measures a PUT and a GET of half a megabyte, the size of the tensors between two slices of a transformer. */
async function clients(store: SafetensorsStore, options: S3Bucket): Promise<string> {
  const tensor = activations(0.5e6 / 4);
  const lean = new LeanClient(options);
  const sdk: number[] = [];
  const withoutSdk: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    sdk.push(
      await milliseconds(async () => {
        await store.write(`sdk/${call}`, new Map([['hidden', tensor]]));
        await (await store.open(`sdk/${call}`)).read(['hidden']);
      }),
    );
    withoutSdk.push(
      await milliseconds(async () => {
        await lean.put(options.bucket, `lean/${call}`, tensor.bytes);
        await lean.get(options.bucket, `lean/${call}`);
      }),
    );
  }
  lean.close();
  const at = (values: number[], share: number): string =>
    [...values].sort((a, b) => a - b)[Math.floor(share * values.length)].toFixed(1);
  return formatTable(
    ['PUT and GET of 0.5 MB', 'p50 ms', 'p95 ms'],
    [
      ['S3 client of the functions, with the AWS SDK', at(sdk, 0.5), at(sdk, 0.95)],
      ['node:http and a signature', at(withoutSdk, 0.5), at(withoutSdk, 0.95)],
    ],
  );
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
