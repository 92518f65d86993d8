/**
 * Embeds the text files of a folder in one batch. Writes the name and the vector of each file to `vectors.jsonl`, in the order of the names:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… BUCKET=… npx tsx embed-folder.ts texts/
 *
 * Memory and files in flight do not grow with the number of texts.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  SlicedInferenceClient,
  type BatchResultRow,
  type SlicedInferenceBatchRun,
} from 'cdk-sliced-inference/client';
import { inputsOf, vectorsOf } from './embed';
import { modelInputs, TEXTS_KEY, VOCABULARY } from './model';
import { WordPiece } from './word-piece';

const REQUESTS = 'requests.jsonl';
const VECTORS = 'vectors.jsonl';

/** Results that are read at once. */
const READS = 32;

async function main(folder: string | undefined): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn, BUCKET } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  if (BUCKET === undefined) throw new Error('BUCKET is not set: run `. ./cloud.env`');
  if (folder === undefined) throw new Error('no folder: run npx tsx embed-folder.ts texts/');
  await pipeline(Readable.from(requestsOf(folder)), createWriteStream(REQUESTS));
  // Others may run the batch at the same time.
  const items = `${TEXTS_KEY}.${randomUUID()}`;
  const s3 = new S3Client();
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: items, Body: createReadStream(REQUESTS) }));
  const model = new SlicedInferenceClient({ stateMachineArn });
  const batch = await model.batch({ items });
  for await (const { done, failed, total } of batch.progress())
    if (total > 0) console.error(`${done + failed} of ${total} texts`);
  await pipeline(Readable.from(linesOf(batch)), createWriteStream(VECTORS));
  const { items: counts, table } = await batch.result();
  console.log(`${counts.done} embedded, ${counts.skipped} known, ${counts.failed} failed: ${VECTORS}`);
  console.log(`table: s3://${table.bucket}/${table.key}`);
  await model.close();
}

/** A line for each file: its name, and the request with its tokens. Folders and hidden files are left out. */
function* requestsOf(folder: string): Generator<string> {
  const tokenizer = new WordPiece(readFileSync(VOCABULARY, 'utf8'));
  const inputs = modelInputs();
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.'),
  );
  if (files.length === 0) throw new Error(`the folder must have text files, got none in ${folder}`);
  for (const id of files.map(({ name }) => name).sort()) {
    const tokens = tokenizer.encode([readFileSync(path.join(folder, id), 'utf8')]);
    const tensors = Object.entries(inputsOf(tokens, inputs)).map(
      ([name, [data]]) => [name, { dtype: 'int64', shape: [1, data.length], data }] as const,
    );
    yield `${JSON.stringify({ id, inputs: { tensors: Object.fromEntries(tensors) } })}\n`;
  }
}

/** Reads some results at a time. The rows are in the order of the requests. */
async function* linesOf(batch: SlicedInferenceBatchRun): AsyncGenerator<string> {
  let waiting: Promise<string>[] = [];
  for await (const row of batch.rows()) {
    waiting.push(lineOf(row));
    if (waiting.length < READS) continue;
    yield* await Promise.all(waiting);
    waiting = [];
  }
  yield* await Promise.all(waiting);
}

async function lineOf(row: BatchResultRow): Promise<string> {
  if (row.failure !== undefined) {
    console.error(`failed: ${row.item}: ${row.failure.message}`);
    process.exitCode = 1;
    return '';
  }
  const { outputs = {} } = await row.read();
  const [vector] = vectorsOf(outputs);
  return `${JSON.stringify({ file: row.item, vector })}\n`;
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
