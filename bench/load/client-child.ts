/** Downloads the object of a server with the code of a function, and tells its parent how long it took. */
import { rmSync } from 'node:fs';
import { downloadVerified } from '../../lambda/store/download';
import { functionObjects } from '../../lambda/store/s3-client';

export interface Downloaded {
  readonly ms: number;
  readonly cpu: NodeJS.CpuUsage;
}

async function main(sha256: string, file: string, hasSpareProcessor: boolean): Promise<void> {
  const objects = functionObjects();
  const [start, before] = [performance.now(), process.cpuUsage()];
  await downloadVerified(objects, { bucket: 'bucket', key: 'object' }, sha256, file, hasSpareProcessor);
  const downloaded: Downloaded = { ms: performance.now() - start, cpu: process.cpuUsage(before) };
  rmSync(file);
  process.send?.(downloaded, () => process.exit());
}

void main(process.argv[2], process.argv[3], process.argv[4] === 'two');
