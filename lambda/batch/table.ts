/** Writes the table of a batch from the files of the result writer, and answers the account of the batch. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  MAX_FAILURE_CAUSES,
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
  type TableEvent,
} from '../../contract/batch-function';
import { CONTRACT_VERSION } from '../../contract/version';
import { isRecord } from '../json-values';
import type { ObjectStore } from '../store/object-store';
import { openObject } from '../store/ranged-read';
import { isFolder, itemName } from './item';
import { outputOf, usageAt, usageList } from './finish';
import { jsonObjects } from './json-objects';
import { failureOfCause, jsonObject } from './row';
import { RowFile } from './row-file';

/** Writes a file as an object, and replaces one that is there. */
export type PutFile = (bucket: string, key: string, path: string, bytes: number) => Promise<void>;

export interface TableContext {
  readonly settings: BatchSettings;
  readonly objects: ObjectStore;
  readonly putFile: PutFile;
  /** @default tmpdir() */
  readonly folder?: string;
  readonly requestId: string;
}

class BatchFailed extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
    this.stack = name;
  }
}

export async function writeTable(
  { execution, location, manifest }: TableEvent['table'],
  context: TableContext,
): Promise<BatchOutput> {
  const { settings, requestId } = context;
  const folder = context.folder ?? tmpdir();
  const rows = new RowFile(join(folder, `rows-${requestId}`));
  const path = join(folder, `table-${requestId}.jsonl`);
  try {
    const account = new Account();
    for (const key of await resultFiles(manifest, context)) await addFile(key, rows, account, context);
    await pipeline(Readable.from(counted(rows, account)), createWriteStream(path, { mode: 0o600 }));
    const { total } = account.items;
    if (total === 0) {
      throw new BatchFailed(
        BATCH_ERROR_NAMES.noItems,
        `a batch must have items, got none in s3://${settings.itemsBucket}/${location}: check the place, and start the batch again`,
      );
    }
    const table = {
      bucket: settings.bucket,
      key: `${settings.resultsPrefix}${TABLES_FOLDER}${execution}.jsonl`,
    };
    await context.putFile(table.bucket, table.key, path, (await stat(path)).size);
    checkFailures(account.items, settings, table.key);
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: settings.deploymentDigest,
      table,
      ...account.output(),
    };
  } finally {
    rows.close();
    await rm(path, { force: true });
  }
}

/** Step Functions counts whole children, which may have several items. Here the items count. */
function checkFailures(
  { total, failed }: BatchOutput['items'],
  { toleratedFailures = Infinity, toleratedFailurePercentage }: BatchSettings,
  table: string,
): void {
  if (failed <= toleratedFailures && failed * 100 <= toleratedFailurePercentage * total) return;
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

/** Children that failed come first, because a redrive may have repeated them. */
async function resultFiles(manifest: string, context: TableContext): Promise<string[]> {
  let keys: string[] = [];
  for await (const text of read(manifest, context)) {
    const { ResultFiles: files } = jsonObject(text);
    keys = ['FAILED', 'SUCCEEDED'].flatMap((status) =>
      (isRecord(files) && Array.isArray(files[status]) ? files[status] : []).flatMap((file: unknown) =>
        isRecord(file) && typeof file.Key === 'string' ? [file.Key] : [],
      ),
    );
  }
  return keys;
}

async function* read(key: string, { settings, objects }: TableContext): AsyncGenerator<string, void> {
  const { start } = await openObject(objects, { bucket: settings.bucket, key }, Number.MAX_SAFE_INTEGER);
  yield* jsonObjects(start.chunks());
}

async function addFile(key: string, rows: RowFile, account: Account, context: TableContext): Promise<void> {
  for await (const text of read(key, context)) {
    const child = jsonObject(text);
    const output = await outputOfChild(child, context);
    for (const row of output.rows) rows.add(row);
    account.use(output.usage);
  }
}

type ChildRecord = Readonly<Record<string, unknown>>;

async function outputOfChild(child: ChildRecord, context: TableContext): Promise<ChildOutput> {
  const { Status, Output, Error: error, Cause } = child;
  if (Status === 'SUCCEEDED') return whole(outputOf(String(Output)), context);
  const cause = typeof Cause === 'string' ? Cause : '';
  const { errorMessage } = jsonObject(cause);
  if (error === BATCH_ERROR_NAMES.itemsFailed && typeof errorMessage === 'string')
    return whole(outputOf(errorMessage), context);
  return { rows: rowsOfFailedChild(child, cause, context.settings), usage: [] };
}

async function whole(output: ReturnType<typeof outputOf>, context: TableContext): Promise<ChildOutput> {
  if (!('key' in output)) return output;
  for await (const text of read(output.key, context)) return outputOf(text) as ChildOutput;
  throw new Error(`the rows ${output.key} are missing: start the batch again`);
}

/** A child that timed out or could not go on has answered nothing, so all of its items have failed. */
function rowsOfFailedChild(
  { Input, Error: error, Status }: ChildRecord,
  cause: string,
  settings: BatchSettings,
): BatchRow[] {
  const { Items, BatchInput } = JSON.parse(String(Input)) as ChildInput;
  const name = typeof error === 'string' && error !== '' ? error : String(Status);
  const failure = failureOfCause(name, cause);
  return Items.filter((item) => !isFolder(settings, item)).map((item) => ({
    index: item.index,
    item: itemName(settings, item),
    status: 'failed',
    failure,
    attempt: BatchInput.attempt,
  }));
}

/** Different causes that are told apart. More would take memory, and help nobody. */
const MAX_COUNTED_CAUSES = 1000;

class Account {
  readonly items = { total: 0, done: 0, skipped: 0, failed: 0 };
  private milliseconds = 0;
  private readonly causes = new Map<
    string,
    { -readonly [K in keyof BatchFailureCount]: BatchFailureCount[K] }
  >();
  private readonly usage = new Map<number, { calls: number; mbMs: number }>();

  count({ status, ms = 0, failure, item }: BatchRow): void {
    this.items.total++;
    this.items[status]++;
    this.milliseconds += ms;
    if (failure === undefined) return;
    // Messages about the same fault differ in names and numbers.
    const cause = `${failure.error} ${failure.message.replaceAll(/'[^']*'|\d+/g, '#')}`;
    const known = this.causes.get(cause);
    if (known !== undefined) known.count++;
    else if (this.causes.size < MAX_COUNTED_CAUSES) this.causes.set(cause, { ...failure, count: 1, item });
  }

  use(usage: ChildOutput['usage']): void {
    for (const used of usage) {
      const at = usageAt(used);
      const { calls, mbMs } = this.usage.get(at) ?? { calls: 0, mbMs: 0 };
      this.usage.set(at, { calls: calls + used.calls, mbMs: mbMs + used.mbMs });
    }
  }

  output(): Pick<BatchOutput, 'items' | 'failures' | 'milliseconds' | 'usage'> {
    return {
      items: this.items,
      failures: [...this.causes.values()].sort((a, b) => b.count - a.count).slice(0, MAX_FAILURE_CAUSES),
      milliseconds: this.milliseconds,
      usage: usageList(this.usage),
    };
  }
}

/** For `PutFile`: the bytes of the file as a stream. */
export function fileBody(path: string): Readable {
  return createReadStream(path);
}
