/**
 * What memory and time a large tensor takes on its way through a function, against the obvious way, which collects what
 * comes and joins what goes. Three times the tensor's size is the least: the input, the output of ONNX Runtime, and the
 * binding's copy of that for JavaScript.
 */
import * as path from 'node:path';
import { S3ObjectStore } from '../../lambda/store/s3';
import { functionS3Client } from '../../lambda/store/s3-client';
import { SafetensorsStore } from '../../lambda/store/safetensors-store';
import { formatSpread, inChild, spread } from '../measure';
import { writeOneOperator } from '../slice/models';
import { formatTable } from '../table';
import { activations } from './activations';
import type { Passage, Way } from './copies-child';

const MEGABYTES = 64;
const CHILD = path.join(__dirname, 'copies-child.js');
const WAYS: Readonly<Record<Way, string>> = {
  functions: 'as the functions (3 are the least)',
  obvious: 'body collected, result joined to one',
};

/** @param folder for the model; S3 is the one of the environment */
export async function benchCopies(folder: string, bucket: string, rounds: number): Promise<string> {
  const model = path.join(folder, 'relu.onnx');
  writeOneOperator(model);
  const store = new SafetensorsStore(new S3ObjectStore(functionS3Client()), bucket);
  const passages: Record<Way, Passage[]> = { functions: [], obvious: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of Object.keys(WAYS) as Way[]) {
      const keys = { small: `copies/${way}-${round}-small`, large: `copies/${way}-${round}-large` };
      await store.write(keys.small, new Map([['x', activations(1000)]]));
      await store.write(keys.large, new Map([['x', activations((MEGABYTES * 1e6) / 4)]]));
      passages[way].push(await inChild(CHILD, { way, bucket, keys, model }));
    }
  }
  const rows = (Object.keys(WAYS) as Way[]).map((way) => [
    WAYS[way],
    formatSpread(spread(passages[way].map(({ extraMemoryBytes }) => extraMemoryBytes / 1e6 / MEGABYTES)), 2),
    formatSpread(spread(passages[way].map(({ ms }) => ms)), 0),
    formatSpread(spread(passages[way].map(({ ms }, round) => ms / passages.functions[round].ms)), 2),
  ]);
  return formatTable(
    [`${MEGABYTES} MB from S3 through Relu to S3`, 'memory, in tensors', 'ms', 'ratio'],
    rows,
  );
}
