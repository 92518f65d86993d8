/** Writes a tensor to a server as the slice functions do, and prints the memory as JSON. `test/lambda/store/send-memory` limits it. */
import type { NumericTensor } from '../../client';
import { functionAgents } from '../../lambda/store/connections';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SafetensorsStore } from '../../lambda/store/safetensors-store';
import { peakMemoryBytes } from '../../lambda/telemetry/telemetry';

export interface Job {
  readonly endpoint: string;
  readonly megabytes: number;
  /** Certificate of the authority to trust, in PEM. */
  readonly ca?: string;
}

export interface Sent {
  /** The process's peak resident memory, minus its resident memory before. */
  readonly extraMemoryBytes: number;
}

async function main({ endpoint, megabytes, ca }: Job): Promise<void> {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
  const client = functionS3Client(functionAgents({ ca }));
  const store = new SafetensorsStore(new S3ObjectStore(client), 'bench');
  const tensors = new Map([['x', row((megabytes * 1e6) / 4)]]);
  // Loads and compiles the code, and opens the connection.
  await store.write('small', new Map([['x', row(1000)]]));
  const before = process.memoryUsage.rss();
  await store.write('large', tensors);
  const sent: Sent = { extraMemoryBytes: Math.max(0, peakMemoryBytes() - before) };
  process.stdout.write(JSON.stringify(sent));
  process.exit();
}

function row(elements: number): NumericTensor {
  return { dtype: 'float32', shape: [1, elements], bytes: new Uint8Array(4 * elements) };
}

if (require.main === module) void main(JSON.parse(process.argv[2]) as Job);
