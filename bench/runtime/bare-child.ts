/** Loads ONNX Runtime and the S3 client, runs a model of one operator, and prints the peak memory. */
import { Session } from '../../lambda/slice/session';
import { functionS3Client } from '../../lambda/store/s3-client';
import { peakMemoryBytes } from '../../lambda/telemetry/telemetry';

async function main(model: string): Promise<void> {
  const client = functionS3Client();
  const session = await Session.open({ path: model, threads: 1 });
  const bytes = new Uint8Array(512 * 4);
  await session.run(new Map([['x', { dtype: 'float32', shape: [1, 512], bytes }]]), session.outputNames);
  client.destroy();
  process.stdout.write(String(peakMemoryBytes()));
}

if (require.main === module) void main(process.argv[2]);
