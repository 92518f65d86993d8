/** Writes the table of a batch from the files of the result writer, and answers the account of the batch. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  MAX_FAILURE_CAUSES,
  type BatchFailure,
  type BatchFailureCount,
  type BatchOutput,
  type BatchRow,
} from '../../contract/batch';
import {
  BATCH_ERROR_NAMES,
  TABLES_FOLDER,
  type BatchSettings,
  type ChildInput,
  type ChildOutput,
  type TableToWrite,
} from '../../contract/batch-function';
import type { ObjectReference } from '../../contract/execution';
import { CONTRACT_VERSION } from '../../contract/version';
import { parsedRecord } from '../json-values';
import { wholeRequestMs } from '../store/limits';
import { openObject } from '../store/ranged-read';
import { retried } from '../store/retry';
import type { BatchContext } from './context';
import type { ChildCause } from './finish';
import { jsonObjects } from './json-objects';
import { prepare } from './prepare';
import { BatchFailed, failureOfCause } from './row';
import { RowFile } from './row-file';
import { Usage } from './usage';

export async function writeTable(
  { execution, location, manifest }: TableToWrite,
  context: BatchContext,
): Promise<BatchOutput> {
  const { settings, requestId } = context;
  const rows = new RowFile(join(tmpdir(), `rows-${requestId}`));
  const path = join(tmpdir(), `table-${requestId}.jsonl`);
  try {
    const account = new Account();
    for await (const child of childrenOf(manifest, context)) {
      const output = await outputOfChild(child, context);
      for (const row of output.rows) rows.add(row);
      for (const used of output.usage) account.usage.add(used);
    }
    await pipeline(Readable.from(counted(rows, account)), createWriteStream(path, { mode: 0o600 }));
    if (account.items.total === 0) {
      throw new BatchFailed(
        BATCH_ERROR_NAMES.noItems,
        `a batch must have items, got none in s3://${settings.items.bucket}/${location}: check the place, and start the batch again`,
      );
    }
    const key = `${settings.resultsPrefix}${TABLES_FOLDER}${execution}.jsonl`;
    const table = { bucket: settings.bucket, key };
    await putFile(table, path);
    checkFailures(account.items, settings, key);
    const { deploymentDigest } = settings;
    return { version: CONTRACT_VERSION, deploymentDigest, table, ...account.output() };
  } finally {
    rows.close();
    await rm(path, { force: true });
  }
}

/** Replaces an object that is there. */
async function putFile({ bucket, key }: ObjectReference, path: string): Promise<void> {
  const { size } = await stat(path);
  const requestHandler = { requestTimeout: wholeRequestMs(size), throwOnRequestTimeout: true };
  const client = new S3Client({ maxAttempts: 1, requestHandler });
  const head = { Bucket: bucket, Key: key, ContentLength: size, ContentType: 'application/jsonl' };
  await retried({ bucket, key }, {}, () =>
    client.send(new PutObjectCommand({ ...head, Body: createReadStream(path) })),
  );
}

/** Step Functions counts whole children, which may have several items. Here the items count. */
function checkFailures(
  { total, failed }: BatchOutput['items'],
  { toleratedFailures = Infinity, toleratedFailurePercentage }: BatchSettings,
  table: string,
): void {
  // If all items failed, the fault is not theirs, and an alarm must see it.
  const isTolerated = failed <= toleratedFailures && failed * 100 <= toleratedFailurePercentage * total;
  if (isTolerated && failed < total) return;
  throw new BatchFailed(
    BATCH_ERROR_NAMES.tooManyFailures,
    `${failed} of ${total} items failed, and the batch tolerates fewer: the table ${table} has the reasons; start the batch again to repeat them`,
  );
}

function* counted(rows: RowFile, account: Account): Generator<Buffer, void> {
  for (const line of rows.lines()) {
    account.count(JSON.parse(line.toString('utf8')) as BatchRow);
    yield line;
  }
}

/** Step Functions writes these: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
interface ResultManifest {
  readonly ResultFiles: Readonly<Record<'FAILED' | 'SUCCEEDED', readonly { readonly Key: string }[]>>;
}

interface ChildRecord {
  readonly Status: string;
  readonly Input: string;
  readonly Output?: string;
  readonly Error?: string;
  readonly Cause?: string;
}

/** Children that failed come first, because a redrive may have repeated them. */
async function* childrenOf(manifest: string, context: BatchContext): AsyncGenerator<ChildRecord, void> {
  for await (const { ResultFiles } of read<ResultManifest>(manifest, context)) {
    for (const { Key } of [...ResultFiles.FAILED, ...ResultFiles.SUCCEEDED])
      yield* read<ChildRecord>(Key, context);
  }
}

async function* read<T>(key: string, { settings, objects }: BatchContext): AsyncGenerator<T, void> {
  const { start } = await openObject(objects, { bucket: settings.bucket, key }, Number.MAX_SAFE_INTEGER);
  for await (const text of jsonObjects(start.chunks())) yield JSON.parse(text) as T;
}

async function outputOfChild(child: ChildRecord, context: BatchContext): Promise<ChildOutput> {
  const { Output = '', Error: error, Status, Input, Cause = '' } = child;
  if (Status === 'SUCCEEDED') return JSON.parse(Output) as ChildOutput;
  const { errorMessage } = parsedRecord(Cause) ?? {};
  if (error !== BATCH_ERROR_NAMES.itemsFailed || typeof errorMessage !== 'string')
    return {
      rows: await rowsOfFailedChild(Input, failureOfCause(error ?? Status, Cause), context),
      usage: [],
    };
  const output = JSON.parse(errorMessage) as ChildCause;
  if (!('key' in output)) return output;
  for await (const whole of read<ChildOutput>(output.key, context)) return whole;
  throw new Error(`the rows ${output.key} are missing: start the batch again`);
}

/** A child that timed out or could not go on has answered nothing. The items before the one that it ended with may have results. */
async function rowsOfFailedChild(
  input: string,
  failure: BatchFailure,
  context: BatchContext,
): Promise<BatchRow[]> {
  const child = JSON.parse(input) as ChildInput;
  const { rows, runs } = await prepare(child, context);
  const about = { attempt: child.BatchInput.attempt, status: 'failed', failure } as const;
  return [...rows, ...runs.map(({ item: { index, item } }) => ({ index, item, ...about }))];
}

/** Different causes that are told apart. More would take memory, and help nobody. */
const MAX_COUNTED_CAUSES = 1000;

class Account {
  readonly items = { total: 0, done: 0, skipped: 0, failed: 0 };
  private milliseconds = 0;
  private readonly causes = new Map<string, BatchFailureCount>();
  readonly usage = new Usage();

  count({ status, ms = 0, failure, item }: BatchRow): void {
    this.items.total++;
    this.items[status]++;
    this.milliseconds += ms;
    if (failure === undefined) return;
    // Messages about the same fault differ in names and numbers.
    const cause = `${failure.error} ${failure.message.replaceAll(/'[^']*'|\d+/g, '#')}`;
    const known = this.causes.get(cause);
    if (known !== undefined || this.causes.size < MAX_COUNTED_CAUSES)
      this.causes.set(cause, { item, ...failure, ...known, count: (known?.count ?? 0) + 1 });
  }

  output(): Pick<BatchOutput, 'items' | 'failures' | 'milliseconds' | 'usage'> {
    return {
      items: this.items,
      failures: [...this.causes.values()].sort((a, b) => b.count - a.count).slice(0, MAX_FAILURE_CAUSES),
      milliseconds: this.milliseconds,
      usage: this.usage.list(),
    };
  }
}
