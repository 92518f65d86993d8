/** What an item of a batch is called, and the request that it stands for. */
import type { BatchItemsKind } from '../../contract/batch';
import type { BatchSettings, IndexedItem } from '../../contract/batch-function';
import { INPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName, type JsonRecord } from '../json-values';
import { parseExecutionInput } from '../request/request';

/** What an item runs: input of the pipeline's states. */
export type KnownItem =
  | RequestInS3
  | {
      readonly request: unknown;
      /** What the result depends on. */
      readonly json: unknown;
    };

interface RequestInS3 {
  readonly request: JsonRecord;
  /** Of the object with the tensors. */
  readonly key: string;
  /** That the object had when it was listed, or that the item names. */
  readonly etag?: string;
}

const ROWS: readonly BatchItemsKind[] = ['csv', 'csvFiles', 'parquet', 'parquetFiles'];
const LINES: readonly BatchItemsKind[] = ['jsonLines', 'jsonLinesFiles', 'jsonArray'];

/** Step Functions passes on a byte order mark as a part of the first column's name. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** The name of an item in the table: its key or `id`, or else its place. It never fails, because failed items have a name too. */
export function itemName(
  { items: { kind, column = '' } }: BatchSettings,
  { index, value }: IndexedItem,
): string {
  const fields = fieldsOf(kind, value);
  const name = ROWS.includes(kind) ? fields[column] : (fields.Key ?? fields.id);
  return typeof name === 'string' && name !== '' ? name : `#${index}`;
}

/** Whether the item is a folder that the S3 console made, which is an empty object. An inventory may lack sizes. */
export function isFolder({ items: { kind } }: BatchSettings, { value }: IndexedItem): boolean {
  const { Key, Size } = fieldsOf(kind, value);
  const isObject = kind === 'objects' || kind === 'inventory';
  return isObject && typeof Key === 'string' && Key.endsWith('/') && (Size === 0 || Size === '0');
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request */
export function readItem(settings: BatchSettings, { value }: IndexedItem, attempt: number): KnownItem {
  const { kind } = settings.items;
  if (!isRecord(value)) throw invalidInput(`an item of ${kind} must be a JSON object, got ${kindOf(value)}`);
  const fields = fieldsOf(kind, value);
  if (ROWS.includes(kind)) return ofRow(settings, fields);
  return LINES.includes(kind) ? ofLine(settings, fields) : ofObject(settings, fields, attempt);
}

function fieldsOf(kind: BatchItemsKind, value: unknown): JsonRecord {
  const fields = isRecord(value) ? value : {};
  if (kind === 'inventory') return { ...fields, Key: decoded(fields.Key) };
  if (!ROWS.includes(kind)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, cell]) => [name.replace(BYTE_ORDER_MARK, ''), cell]),
  );
}

/** Keys in an inventory are URL-encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
function decoded(key: unknown): unknown {
  try {
    return typeof key === 'string' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
  } catch {
    // It is no key of S3's, and nothing will be found there.
    return key;
  }
}

function ofObject(
  settings: BatchSettings,
  { Bucket, Key, Etag, ETag }: JsonRecord,
  attempt: number,
): KnownItem {
  const { items, hasPreprocess } = settings;
  if (typeof Key !== 'string') throw invalidInput(`an item must have a Key, got ${kindOf(Key)}`);
  const bucket = typeof Bucket === 'string' ? Bucket : items.bucket;
  const etag = Etag ?? ETag;
  const known = typeof etag === 'string' && etag !== '' ? { etag } : undefined;
  // The function may answer by the key too, and two keys may have one name without `inputs/`.
  if (hasPreprocess) {
    const request = { bucket, key: Key };
    return { request, json: { ...request, ...known } };
  }
  if (bucket !== settings.bucket) {
    throw invalidInput(
      `an item must be in the pipeline's bucket, got ${quotedName(bucket)}: copy it, or set a preprocess function`,
    );
  }
  // An inventory may be days old, and an object may be mended before a redrive: then S3 is asked for the ETag of today.
  const isFresh = items.kind === 'objects' && attempt === 1;
  return { request: requestOfKey(Key), key: Key, ...(isFresh && known) };
}

function ofRow(settings: BatchSettings, fields: JsonRecord): KnownItem {
  if (settings.hasPreprocess) return { request: fields, json: fields };
  const { column = '' } = settings.items;
  const key = fields[column];
  if (typeof key !== 'string' || key === '') {
    const columns = Object.keys(fields).map(quotedName).join(', ');
    throw invalidInput(
      `the column ${quotedName(column)} must hold the key of a request, got ${kindOf(key)}: the row has ${columns}`,
    );
  }
  return { request: requestOfKey(key), key };
}

/** A line is an input of the pipeline's executions, whose version may be left out, with an `id` of the user's. */
function ofLine({ hasPreprocess }: BatchSettings, whole: JsonRecord): KnownItem {
  if (hasPreprocess) return { request: whole, json: whole };
  const { id, ...line } = whole;
  if (id !== undefined && typeof id !== 'string')
    throw invalidInput(`'id' must be a string, got ${kindOf(id)}`);
  if (line.output !== undefined) {
    throw invalidInput("an item must have no 'output': the batch decides where results are");
  }
  const request = withOutput({ version: CONTRACT_VERSION, ...line });
  const { tensors } = parseExecutionInput(request);
  return tensors.kind === 'inline' ? { request, json: line } : { request, ...tensors };
}

function requestOfKey(key: string): JsonRecord {
  if (!key.startsWith(INPUTS_PREFIX)) {
    throw invalidInput(
      `a request must be below '${INPUTS_PREFIX}' in the pipeline's bucket, got ${quotedName(key)}: copy it, or set a preprocess function`,
    );
  }
  const request = withOutput({ version: CONTRACT_VERSION, inputs: { s3: key } });
  parseExecutionInput(request);
  return request;
}

/** Results are only in S3, because the states of a child have no room for those of several items. */
function withOutput(request: JsonRecord): JsonRecord {
  return { ...request, output: { inline: 'never' } };
}
