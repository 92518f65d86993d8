/** Writes the table of a batch from the files of the result writer, and answers the account of the batch. */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { BatchOutput } from '../../contract/batch';
import {
  BATCH_ERROR_NAMES,
  MAP_RUNS_FOLDER,
  TABLES_FOLDER,
  type TableToWrite,
} from '../../contract/batch-function';
import { CONTRACT_VERSION } from '../../contract/version';
import { isOutOfSpace } from '../errors';
import { wholeRequestMs } from '../store/limits';
import { retried } from '../store/retry';
import { Account } from './account';
import { finishedChild, type ChildRecord, type FinishedChild } from './child-rows';
import type { BatchContext } from './context';
import { BatchFailed, failureOfCause } from './item-failure';
import { jsonObjects } from './json-objects';
import { chunksOf, listObjects } from './objects';
import { readAhead } from './read-ahead';
import { countFailed } from './report';
import { RowBuckets } from './row-buckets';

export async function writeTable(wanted: TableToWrite, context: BatchContext): Promise<BatchOutput> {
  const { settings } = context;
  const { execution, location, manifest = await manifestOf(execution, context) } = wanted;
  const failure = wanted.failure && failureOfCause(wanted.failure.Error, wanted.failure.Cause);
  // A function has its `/tmp` for one call at a time.
  const folder = join(tmpdir(), 'table');
  const rows = new RowBuckets(folder);
  const path = join(folder, 'table.jsonl');
  try {
    const account = new Account();
    let unreported = 0;
    for await (const child of manifest === undefined ? [] : childrenOf(manifest, context)) {
      for (const row of child.rows) rows.add(row);
      unreported += child.unreported;
      for (const result of child.results) account.addResult(result);
    }
    await pipeline(Readable.from(linesOf(rows, account)), createWriteStream(path, { mode: 0o600 }));
    const key = `${settings.resultsPrefix}${TABLES_FOLDER}${execution}.jsonl`;
    if (account.items.total > 0) await putFile(key, path, context);
    if (unreported > 0) countFailed(unreported, execution, context);
    const place = `s3://${settings.items.bucket}/${location}`;
    requireSuccess(account, { ...context, table: key, place, ...(failure && { failure }) });
    const table = { bucket: settings.bucket, key };
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: settings.deploymentDigest,
      table,
      ...account.output(),
    };
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    throw new BatchFailed(
      BATCH_ERROR_NAMES.tableTooLarge,
      `${TABLE_TOO_LARGE}: start several batches, each with a part of the items`,
    );
  } finally {
    rows.close();
  }
}

const TABLE_TOO_LARGE = 'the table must fit on the disk of the function, got no space left';

/** A map that has failed does not tell where it has written: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
async function manifestOf(execution: string, context: BatchContext): Promise<string | undefined> {
  const folder = `${context.settings.resultsPrefix}${MAP_RUNS_FOLDER}${execution}/`;
  for await (const { key } of listObjects(folder, context)) if (key.endsWith('/manifest.json')) return key;
  return undefined;
}

function* linesOf(rows: RowBuckets, account: Account): Generator<string, void> {
  for (const row of rows.rows()) {
    account.addRow(row);
    yield `${JSON.stringify(row)}\n`;
  }
}

/** Replaces an object that is there. */
async function putFile(key: string, path: string, { s3, settings: { bucket } }: BatchContext): Promise<void> {
  const { size } = await stat(path);
  const head = { Bucket: bucket, Key: key, ContentLength: size, ContentType: 'application/jsonl' };
  await retried({ bucket, key }, {}, () =>
    s3.send(new PutObjectCommand({ ...head, Body: createReadStream(path) }), {
      requestTimeout: wholeRequestMs(size),
    }),
  );
}

interface Ended extends Pick<BatchContext, 'settings'> {
  readonly table: string;
  /** Of the items. */
  readonly place: string;
  /** Of the map. */
  readonly failure?: { readonly error: string; readonly message: string };
}

/** @throws BatchFailed with the number of the items that have no result, and the first reasons */
function requireSuccess(account: Account, { settings, table, place, failure }: Ended): void {
  const { noItems, tooManyFailures, itemsPending } = BATCH_ERROR_NAMES;
  const { total, failed, pending } = account.items;
  const again = 'start the batch again: it repeats only these';
  if (failure !== undefined) {
    const found =
      total === 0 ? 'there is no table' : `the table ${table} has ${total} items, ${pending} of them pending`;
    throw new BatchFailed(failure.error, `${failure.message}: ${found}: ${again}`);
  }
  if (total === 0) {
    const text = `a batch must have items, got none in ${place}`;
    throw new BatchFailed(noItems, `${text}: check the place, and start the batch again`);
  }
  const { toleratedFailures = Infinity, toleratedFailurePercentage } = settings;
  // If all items failed, the fault is not theirs, and an alarm must see it.
  const isTolerated = failed <= toleratedFailures && failed * 100 <= toleratedFailurePercentage * total;
  if (!isTolerated || failed === total) {
    const reasons = account.failures().slice(0, SHOWN_REASONS);
    const waiting = pending > 0 ? ` and ${pending} did not run` : '';
    const shown = reasons.map(({ count, error, message }) => `${count} with ${error}: ${message}`).join('; ');
    throw new BatchFailed(
      tooManyFailures,
      `${failed} of ${total} items failed${waiting}, and the batch ${isTolerated ? 'needs a result' : 'tolerates fewer'}: ${shown}: the table ${table} has all: ${again}`,
    );
  }
  if (pending > 0) {
    const text = `all items must run, got ${pending} of ${total} that did not, because their runs took too long`;
    throw new BatchFailed(itemsPending, `${text}: the table ${table} has their names: ${again}`);
  }
}

const SHOWN_REASONS = 3;

interface ResultManifest {
  readonly ResultFiles: Readonly<Record<string, readonly { readonly Key: string }[]>>;
}

/** Their failures, and the answers of their postprocess functions, are in objects. */
const CHILDREN_AT_ONCE = 16;

async function* childrenOf(manifest: string, context: BatchContext): AsyncGenerator<FinishedChild, void> {
  for await (const { ResultFiles } of parsed<ResultManifest>(manifest, context)) {
    for (const { Key } of Object.values(ResultFiles).flat()) {
      const finish = (child: ChildRecord): Promise<FinishedChild> => finishedChild(child, context);
      yield* readAhead(parsed<ChildRecord>(Key, context), finish, { most: CHILDREN_AT_ONCE });
    }
  }
}

async function* parsed<T>(key: string, context: BatchContext): AsyncGenerator<T, void> {
  for await (const text of jsonObjects(chunksOf(key, context))) yield JSON.parse(text) as T;
}
