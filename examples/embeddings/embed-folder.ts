/**
 * Embeds the text files of a folder in one batch. Writes the name and the vector of each file to `vectors.jsonl`, in the order of the names:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx embed-folder.ts texts/
 *
 * Memory and files in flight do not grow with the number of texts.
 */
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type BatchResultRow,
  SlicedInferenceClient,
  type SlicedInferenceBatchRun,
} from 'cdk-sliced-inference/client';

const VECTORS = 'vectors.jsonl';

/** Results that are read at once. */
const READS = 32;

/** The part of an answer of the embeddings interface that is used here. */
interface Answer {
  readonly data: readonly { readonly embedding: readonly number[] }[];
}

async function main(folder: string | undefined): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  if (folder === undefined) throw new Error('no folder: run npx tsx embed-folder.ts texts/');
  const model = new SlicedInferenceClient({ stateMachineArn });
  const batch = await model.batch({ requests: requestsOf(folder) });
  for await (const { done, failed, total } of batch.progress())
    if (total > 0) console.error(`${done + failed} of ${total} texts`);
  await pipeline(Readable.from(linesOf(batch)), createWriteStream(VECTORS));
  const { items: counts, table } = await batch.result();
  console.log(`${counts.done} embedded, ${counts.skipped} known, ${counts.failed} failed: ${VECTORS}`);
  console.log(`table: s3://${table.bucket}/${table.key}`);
  await model.close();
}

/** For each file: its name, and a request of the interface. Folders and hidden files are left out. */
function* requestsOf(folder: string): Generator<[name: string, request: { readonly input: string }]> {
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.'),
  );
  if (files.length === 0) throw new Error(`the folder must have text files, got none in ${folder}`);
  for (const name of files.map((file) => file.name).sort())
    yield [name, { input: readFileSync(path.join(folder, name), 'utf8') }];
}

/** Reads some results at a time. The rows are in the order of the requests, and have the answers. */
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
  const { output } = await row.read();
  const [{ embedding: vector }] = (output as Answer).data;
  return `${JSON.stringify({ file: row.item, vector })}\n`;
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
