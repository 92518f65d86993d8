/** Cold starts: how long a new function takes to load a model, beside reading its files from the local S3 alone. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { once } from 'node:events';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { MEMORY_MB_PER_VCPU } from '../../lib/plan/sizes/lambda-quotas';
import type { LocalCloud, LocalCloudOptions } from '../../local';
import type { BenchModel } from '../inputs';
import { formatSpread } from '../measure';
import { deployFunction } from './deployed';

/** Major versions of Node.js on Lambda. */
const RUNTIMES = ['20', '22', '24'];
const KEY = 'inputs/weights';

/** A row for each memory size. */
export async function coldRows(
  folder: string,
  model: BenchModel,
  memorySizes: readonly number[],
  rounds: number,
): Promise<string[][]> {
  const weights = path.join(path.dirname(model.file), 'model.weights');
  const megabytes = fs.statSync(weights).size / 1e6;
  const subjects = memorySizes.map((memoryMb) => ({
    ...{ outdir: path.join(folder, `cold-${memoryMb}`), model, memoryMb },
  }));
  const samples = subjects.map(() => ({ load: [] as number[], read: [] as number[], bare: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const isOneVcpu = subject.memoryMb <= MEMORY_MB_PER_VCPU;
      const deployed = await deployFunction(subject, isOneVcpu ? onOneProcessor(folder) : {});
      try {
        await deployed.cloud.putObject(KEY, fs.createReadStream(weights));
        samples[index].read.push(await readMs(deployed.cloud));
        const { timing } = await deployed.call('function');
        samples[index].load.push(timing?.loadMs ?? 0);
        const bare = await deployed.call('bare');
        samples[index].bare.push(bare.ms - bare.runMs);
      } finally {
        await deployed.close();
        fs.rmSync(subject.outdir, { recursive: true, force: true });
      }
    }
  }
  const speeds = (ms: readonly number[]): string =>
    formatSpread(
      ms.map((own) => (megabytes * 1000) / own),
      0,
    );
  return samples.map(({ load, read, bare }, index) => [
    ...[String(memorySizes[index]), megabytes.toFixed(0)],
    ...[formatSpread(load, 0), speeds(load), formatSpread(read, 0), speeds(read), formatSpread(bare, 0)],
  ]);
}

/** The local cloud does not limit functions to their vCPUs, so they run on one processor of this machine. */
function onOneProcessor(folder: string): Pick<LocalCloudOptions, 'nodeBinaries'> {
  const file = path.join(folder, 'node-on-one-processor');
  fs.writeFileSync(file, `#!/bin/sh\nexec taskset -c 1 '${process.execPath}' "$@"\n`, { mode: 0o755 });
  return { nodeBinaries: Object.fromEntries(RUNTIMES.map((major) => [major, file])) };
}

/** In a process of its own, as a function, because the local S3 is in this one. */
async function readMs(cloud: LocalCloud): Promise<number> {
  const { endpoint, region, credentials, certificateAuthority } = cloud.s3;
  const child = spawn(
    process.execPath,
    ['--no-warnings', path.join(__dirname, 'read-child.js'), cloud.pipeline.bucket, KEY],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ ...process.env, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region },
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        NODE_EXTRA_CA_CERTS: certificateAuthority.file,
      },
    },
  );
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return Number(printed);
}
