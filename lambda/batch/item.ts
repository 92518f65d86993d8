/** What an item of a batch is called, and the request that it stands for. */
import type { BatchItemsKind } from '../../contract/batch';
import type { BatchSettings, IndexedItem } from '../../contract/batch-function';
import { INPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName, type JsonRecord } from '../json-values';
import { parseExecutionInput } from '../request/request';

/** What an item runs. */
export interface KnownItem {
  /** Input of the pipeline's states. */
  readonly request: unknown;
  /** What the result depends on: the ETag of the request's object, or anything else that changes with the request. */
  readonly content: { readonly etag: string } | { readonly key: string } | { readonly json: unknown };
}

/** Step Functions passes on a byte order mark as a part of the first column's name. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** The name of an item in the table: its key or `id`, or else its place. It never fails, because failed items have a name too. */
export function itemName(
  { items: { kind, column = '' } }: BatchSettings,
  { index, value }: IndexedItem,
): string {
  const fields = fieldsOf(kind, value);
  const name = kind === 'csv' ? fields[column] : (fields.Key ?? fields.id);
  return typeof name === 'string' && name !== '' ? name : `#${index}`;
}

/** Whether the item is a folder that the S3 console made, which is an empty object. */
export function isFolder({ items: { kind } }: BatchSettings, { value }: IndexedItem): boolean {
  const { Key, Size = 0 } = fieldsOf(kind, value);
  const isObject = kind === 'objects' || kind === 'inventory';
  return isObject && typeof Key === 'string' && Key.endsWith('/') && Number(Size) === 0;
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request */
export function readItem(settings: BatchSettings, { value }: IndexedItem): KnownItem {
  const { kind } = settings.items;
  if (!isRecord(value)) throw invalidInput(`an item of ${kind} must be a JSON object, got ${kindOf(value)}`);
  const fields = fieldsOf(kind, value);
  if (kind === 'csv') return ofRow(settings, fields);
  return kind === 'jsonLines' ? ofLine(settings, fields) : ofObject(settings, fields);
}

function fieldsOf(kind: BatchItemsKind, value: unknown): JsonRecord {
  const fields = isRecord(value) ? value : {};
  if (kind === 'inventory') return { ...fields, Key: decoded(fields.Key) };
  if (kind !== 'csv') return fields;
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

function ofObject(settings: BatchSettings, { Bucket, Key, Etag, ETag }: JsonRecord): KnownItem {
  const { items, hasPreprocess } = settings;
  if (typeof Key !== 'string') throw invalidInput(`an item must have a Key, got ${kindOf(Key)}`);
  const bucket = typeof Bucket === 'string' ? Bucket : items.bucket;
  const etag = Etag ?? ETag;
  const known = typeof etag === 'string' && etag !== '' ? { etag } : undefined;
  // The function may answer by the key too, and two keys may have one name without `inputs/`.
  if (hasPreprocess) {
    const request = { bucket, key: Key };
    return { request, content: { json: { ...request, ...known } } };
  }
  if (bucket !== settings.bucket) {
    throw invalidInput(
      `an item must be in the pipeline's bucket, got ${quotedName(bucket)}: copy it, or set a preprocess function`,
    );
  }
  // An inventory may be days old, so S3 is asked for the ETag of today.
  const content = items.kind === 'objects' ? known : undefined;
  return { request: requestOfKey(Key), content: content ?? { key: Key } };
}

function ofRow(settings: BatchSettings, fields: JsonRecord): KnownItem {
  if (settings.hasPreprocess) return { request: fields, content: { json: fields } };
  const { column = '' } = settings.items;
  const key = fields[column];
  if (typeof key !== 'string' || key === '') {
    const columns = Object.keys(fields).map(quotedName).join(', ');
    throw invalidInput(
      `the column ${quotedName(column)} must hold the key of a request, got ${kindOf(key)}: the row has ${columns}`,
    );
  }
  return { request: requestOfKey(key), content: { key } };
}

/** A line is an input of the pipeline's executions, whose version may be left out, with an `id` of the user's. */
function ofLine({ hasPreprocess }: BatchSettings, whole: JsonRecord): KnownItem {
  if (hasPreprocess) return { request: whole, content: { json: whole } };
  const { id, ...line } = whole;
  if (id !== undefined && typeof id !== 'string')
    throw invalidInput(`'id' must be a string, got ${kindOf(id)}`);
  if (line.output !== undefined) {
    throw invalidInput("an item must have no 'output': the batch decides where results are");
  }
  const request = withOutput({ version: CONTRACT_VERSION, ...line });
  const { tensors } = parseExecutionInput(request);
  return {
    request,
    content: tensors.kind === 'object' ? { key: tensors.key } : { json: line },
  };
}

function requestOfKey(key: string): unknown {
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
function withOutput(request: object): object {
  return { ...request, output: { inline: 'never' } };
}
