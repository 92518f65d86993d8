/** How fast a slice's files come, against the function's bandwidth limit, and what memory that takes. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { formatTable } from '../../bin/format';
import { Callers } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { ObjectStore } from '../../local/s3/store';
import { Traffic } from '../../local/simulation/traffic';
import type { NetworkShape } from '../../local';
import { formatSpread, spread } from '../measure';
import type { Download } from './download-child';

const BUCKET = 'bench';

export async function benchDownload(
  folder: string,
  bytes: number,
  networks: readonly NetworkShape[],
  rounds: number,
): Promise<string> {
  const store = new ObjectStore(path.join(folder, 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  const server = await S3Server.start(store, callers);
  try {
    const files = {
      model: await put(store, 'slice-00.onnx', Buffer.alloc(10_000, 'graph')),
      weights: { ...(await put(store, 'slice-00.weights', Buffer.alloc(bytes, 'weights'))), fileName: 'w' },
    };
    const rows: string[][] = [];
    for (const network of networks) {
      const downloads: Download[] = [];
      for (let round = 0; round < rounds; round++) {
        const root = path.join(folder, `tmp-${rows.length}-${round}`);
        const credentials = callers.add({ traffic: new Traffic(network) });
        downloads.push(
          await inChild([JSON.stringify(files), root], {
            AWS_ENDPOINT_URL_S3: server.endpoint,
            AWS_REGION: 'us-east-1',
            AWS_ACCESS_KEY_ID: credentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          }),
        );
        callers.remove(credentials);
        fs.rmSync(root, { recursive: true });
      }
      const limit = network.functionBytesPerSecond / 1000;
      rows.push([
        `${network.connectionBytesPerSecond / 1e6} / ${network.functionBytesPerSecond / 1e6}`,
        formatSpread(spread(downloads.map(({ ms }) => bytes / ms / 1000)), 1),
        // The first byte's latency is not bandwidth.
        formatSpread(spread(downloads.map(({ ms }) => bytes / limit / (ms - network.firstByteMs))), 3),
        formatSpread(spread(downloads.map(({ cpuMs }) => cpuMs / (bytes / 1e6))), 2),
        formatSpread(spread(downloads.map(({ extraMemoryBytes }) => extraMemoryBytes / 1e6)), 0),
      ]);
    }
    return formatTable(
      ['MB/s of a connection / a function', 'MB/s', 'of the limit', 'CPU ms a MB', 'memory above before MB'],
      rows,
    );
  } finally {
    await server.close();
  }
}

async function put(store: ObjectStore, key: string, content: Buffer) {
  await store.put(BUCKET, key, Readable.from([content]));
  return { object: { bucket: BUCKET, key }, sha256: createHash('sha256').update(content).digest('hex') };
}

async function inChild(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Download> {
  const flags = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  const child = spawn(process.execPath, [...flags, path.join(__dirname, 'download-child.js'), ...args], {
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(await text(child.stdout)) as Download;
}
