/**
 * Measures memory and time of a large tensor's way through a slice function, against the simple way of `copies-child.ts`.
 * The minimum memory is three times the tensor's size: the input, the output of ONNX Runtime, and the copy of the output
 * that the binding makes for JavaScript.
 */
import * as path from 'node:path';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SafetensorsStore } from '../../lambda/store/safetensors-store';
import { formatSpread, inChild, spread } from '../measure';
import { writeOneOperator } from '../slice/models';
import { formatTable } from '../table';
import { activations } from './activations';
import type { Method, Passage } from './copies-child';

const MEGABYTES = 64;
const CHILD = path.join(__dirname, 'copies-child.js');
const METHODS: Readonly<Record<Method, string>> = {
  functions: 'as in slice functions (minimum: 3)',
  simple: 'body collected, result joined',
};

/** @param folder folder for the model; environment variables set the endpoint of S3 */
export async function benchCopies(folder: string, bucket: string, rounds: number): Promise<string> {
  const model = path.join(folder, 'relu.onnx');
  writeOneOperator(model);
  const store = new SafetensorsStore(new S3ObjectStore(functionS3Client()), bucket);
  const passages: Record<Method, Passage[]> = { functions: [], simple: [] };
  for (let round = 0; round < rounds; round++) {
    for (const method of Object.keys(METHODS) as Method[]) {
      const keys = { small: `copies/${method}-${round}-small`, large: `copies/${method}-${round}-large` };
      await store.write(keys.small, new Map([['x', activations(1000)]]));
      await store.write(keys.large, new Map([['x', activations((MEGABYTES * 1e6) / 4)]]));
      passages[method].push(await inChild(CHILD, { method, bucket, keys, model }));
    }
  }
  const rows = (Object.keys(METHODS) as Method[]).map((method) => [
    METHODS[method],
    formatSpread(
      spread(passages[method].map(({ extraMemoryBytes }) => extraMemoryBytes / 1e6 / MEGABYTES)),
      2,
    ),
    formatSpread(spread(passages[method].map(({ ms }) => ms)), 0),
    formatSpread(spread(passages[method].map(({ ms }, round) => ms / passages.functions[round].ms)), 2),
  ]);
  return formatTable(
    [`${MEGABYTES} MB from S3 through Relu to S3`, 'memory in tensor sizes', 'ms', 'ratio'],
    rows,
  );
}
