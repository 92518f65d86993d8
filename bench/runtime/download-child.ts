/** Fetches a slice's files as a function does; prints what that took as JSON. */
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SliceFetch } from '../../lambda/slice/weights';
import type { SliceFiles } from '../../lambda/slice/environment';
import { peakMemoryBytes } from '../../lambda/memory';

export interface Download {
  readonly ms: number;
  readonly bytes: number;
  /** Of this process and the system's work for it. */
  readonly cpuMs: number;
  /** Highest resident memory while it downloaded, less what there was before. */
  readonly extraMemoryBytes: number;
}

async function main(files: SliceFiles, root: string): Promise<void> {
  const objects = new S3ObjectStore(functionS3Client());
  // The first request loads parts of the SDK.
  await objects.get(files.model.object, { start: 0, end: 1 });
  const before = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const fetch = new SliceFetch(objects, files, root);
  const [model, weights] = await Promise.all([fetch.model(), fetch.weights()]);
  const ms = performance.now() - start;
  const bytes = model.bytes + (weights?.bytes ?? 0);
  const { user, system } = process.cpuUsage(cpu);
  const extraMemoryBytes = Math.max(0, peakMemoryBytes() - before);
  const download: Download = { ms, bytes, cpuMs: (user + system) / 1000, extraMemoryBytes };
  process.stdout.write(JSON.stringify(download));
}

if (require.main === module) {
  const [files, root] = process.argv.slice(2);
  void main(JSON.parse(files) as SliceFiles, root);
}
