/** Measures how fast a slice's weights are downloaded, against the function's bandwidth limit, and the memory. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import type { SliceFile } from '../../lambda/slice/environment';
import type { Parts } from '../../lambda/store/download';
import type { NetworkShape } from '../../local';
import { Callers } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { Traffic } from '../../local/simulation/traffic';
import type { ServerCertificate } from '../../local/tls/certificate';
import { formatSpread, inChild, spread } from '../measure';
import { formatTable } from '../table';
import type { Download, DownloadJob, Way } from './download-child';

const BUCKET = 'bench';
const CHILD = path.join(__dirname, 'download-child.js');

/** The numbers of connections and sizes of parts to compare. Slice functions use 6 connections and parts of 16 MiB. */
const CONNECTIONS = [1, 2, 4, 6, 8];
const PART_MIB = [4, 16, 32];

export async function benchDownload(
  folder: string,
  bytes: number,
  networks: readonly NetworkShape[],
  rounds: number,
): Promise<string> {
  const site = await Site.start(folder, bytes);
  try {
    const rows: string[][] = [];
    for (const network of networks) {
      const downloads: Download[] = [];
      const plain: Download[] = [];
      for (let round = 0; round < rounds; round++) {
        downloads.push(await site.download(network));
        plain.push(await site.download(network, undefined, 'plain SDK'));
      }
      rows.push([
        `${network.connectionBytesPerSecond / 1e6} / ${network.functionBytesPerSecond / 1e6}`,
        formatSpread(spread(downloads.map(({ ms }) => bytes / ms / 1000)), 1),
        formatSpread(spread(downloads.map((download) => shareOfLimit(download, network))), 3),
        formatSpread(spread(downloads.map(({ cpuMs }) => cpuMs / (bytes / 1e6))), 2),
        formatSpread(spread(downloads.map(({ cpuMs }, round) => cpuMs / plain[round].cpuMs)), 2),
        formatSpread(spread(downloads.map(({ extraMemoryBytes }) => extraMemoryBytes / 1e6)), 0),
      ]);
    }
    return formatTable(
      [
        'limit MB/s per connection / function',
        'MB/s',
        'share of limit',
        'CPU ms per MB',
        'ratio to one request of the plain SDK',
        'extra memory MB',
      ],
      rows,
    );
  } finally {
    await site.close();
  }
}

/** Measures the share of the function's limit that is reached, by number of connections and size of the parts. */
export async function benchParts(
  folder: string,
  bytes: number,
  network: NetworkShape,
  rounds: number,
): Promise<string> {
  const site = await Site.start(folder, bytes);
  try {
    const rows: string[][] = [];
    for (const connections of CONNECTIONS) {
      const row = [String(connections)];
      for (const mib of PART_MIB) {
        const parts = { connections, partBytes: mib * 1024 * 1024 };
        const shares: number[] = [];
        for (let round = 0; round < rounds; round++) {
          shares.push(shareOfLimit(await site.download(network, parts), network));
        }
        row.push(formatSpread(spread(shares), 2));
      }
      rows.push(row);
    }
    return formatTable(
      ['share of limit, by connections', ...PART_MIB.map((mib) => `parts of ${mib} MiB`)],
      rows,
    );
  } finally {
    await site.close();
  }
}

/** The share of the function's bandwidth that was reached, without the latency of the first byte. */
function shareOfLimit(
  { bytes, ms }: Download,
  { functionBytesPerSecond, firstByteMs }: NetworkShape,
): number {
  return bytes / (functionBytesPerSecond / 1000) / (ms - firstByteMs);
}

/** A local S3 with the weights of one slice. */
export class Site {
  private downloads = 0;

  private constructor(
    private readonly folder: string,
    private readonly server: S3Server,
    private readonly callers: Callers,
    private readonly file: SliceFile,
    private readonly other: SliceFile,
    /** A file with the authority to trust, if the server speaks TLS. */
    private readonly authorityFile?: string,
  ) {}

  static async start(folder: string, bytes: number, certificate?: ServerCertificate): Promise<Site> {
    const store = new DiskObjectStore(path.join(folder, 's3'));
    store.createBucket(BUCKET);
    const file = await put(store, 'slice-00.weights', Buffer.alloc(bytes, 'weights'));
    const other = await put(store, 'other', Buffer.alloc(1));
    const callers = new Callers();
    const server = await S3Server.start(store, callers, { certificate });
    if (certificate === undefined) return new Site(folder, server, callers, file, other);
    const authorityFile = path.join(folder, 'authority.pem');
    fs.writeFileSync(authorityFile, certificate.authority);
    return new Site(folder, server, callers, file, other, authorityFile);
  }

  /** @param network as fast as this machine allows by default */
  async download(network?: NetworkShape, parts?: Parts, way: Way = 'slice function'): Promise<Download> {
    const folder = path.join(this.folder, `tmp-${this.downloads++}`);
    const credentials = this.callers.add(network && { traffic: new Traffic(network) });
    try {
      const job: DownloadJob = { file: this.file, other: this.other, folder, parts, way };
      return await inChild<Download>(CHILD, job, {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL_S3: this.server.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        NODE_EXTRA_CA_CERTS: this.authorityFile,
      });
    } finally {
      this.callers.remove(credentials);
      fs.rmSync(folder, { recursive: true });
    }
  }

  async close(): Promise<void> {
    await this.server.close();
    fs.rmSync(this.folder, { recursive: true });
  }
}

async function put(store: DiskObjectStore, key: string, content: Buffer): Promise<SliceFile> {
  await store.put(BUCKET, key, Readable.from([content]));
  return { object: { bucket: BUCKET, key }, sha256: createHash('sha256').update(content).digest('hex') };
}
