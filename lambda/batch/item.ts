/** What an item of a batch is called, and the request that it stands for. */
import type { BatchSettings, IndexedItem } from '../../contract/batch-function';
import { INPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName, type JsonRecord } from '../json-values';
import { parseExecutionInput } from '../request/request';

/** An item that can run. */
export interface KnownItem {
  readonly index: number;
  readonly name: string;
  /** Input of the pipeline's states. */
  readonly request: unknown;
  /** What the result depends on: the ETag of the request's object, or anything else that changes with the request. */
  readonly content: { readonly etag: string } | { readonly key: string } | { readonly json: unknown };
}

/** Step Functions passes on a byte order mark as a part of the first column's name. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** The name of an item in the table: its key or `id`, or else its place. It never fails, because failed items have a name too. */
export function itemName({ kind, column }: BatchSettings, { index, value }: IndexedItem): string {
  const fields = isRecord(value) ? value : {};
  const name = kind === 'csv' ? cell(fields, column) : (fields.Key ?? fields.id);
  return typeof name === 'string' && name !== '' ? name : `#${index}`;
}

/** Whether the item is a folder that the S3 console made, which is an empty object. */
export function isFolder({ kind }: BatchSettings, { value }: IndexedItem): boolean {
  const fields = isRecord(value) ? value : {};
  return (
    (kind === 'objects' || kind === 'inventory') &&
    typeof fields.Key === 'string' &&
    fields.Key.endsWith('/') &&
    Number(fields.Size ?? 0) === 0
  );
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request */
export function readItem(settings: BatchSettings, item: IndexedItem): KnownItem {
  const known = { index: item.index, name: itemName(settings, item) };
  const fields = fieldsOf(settings, item);
  switch (settings.kind) {
    case 'objects':
    case 'inventory':
      return { ...known, ...ofObject(settings, fields) };
    case 'csv':
      return { ...known, ...ofRow(settings, fields) };
    case 'jsonLines':
      return { ...known, ...ofLine(settings, fields) };
  }
}

function fieldsOf({ kind }: BatchSettings, { value }: IndexedItem): JsonRecord {
  if (isRecord(value)) return value;
  throw invalidInput(`an item of ${kind} must be a JSON object, got ${kindOf(value)}`);
}

type OfItem = Pick<KnownItem, 'request' | 'content'>;

function ofObject(settings: BatchSettings, { Bucket, Key, Etag, ETag }: JsonRecord): OfItem {
  const { itemsBucket, hasPreprocess } = settings;
  if (typeof Key !== 'string') throw invalidInput(`an item must have a Key, got ${kindOf(Key)}`);
  const bucket = typeof Bucket === 'string' ? Bucket : itemsBucket;
  const key = settings.kind === 'inventory' ? decoded(Key) : Key;
  const etag = Etag ?? ETag;
  const content = typeof etag === 'string' && etag !== '' ? { etag } : { key };
  if (hasPreprocess) {
    return { request: { bucket, key }, content: 'etag' in content ? content : { json: { bucket, key } } };
  }
  if (bucket !== settings.bucket) {
    throw invalidInput(
      `an item must be in the pipeline's bucket, got ${quotedName(bucket)}: copy it, or set a preprocess function`,
    );
  }
  return { request: requestOfKey(key), content };
}

/** Keys in an inventory are URL-encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw invalidInput(`the key of an inventory must be URL-encoded, got ${quotedName(key)}`);
  }
}

function ofRow(settings: BatchSettings, fields: JsonRecord): OfItem {
  if (settings.hasPreprocess) return { request: withoutMark(fields), content: { json: withoutMark(fields) } };
  const { column = '' } = settings;
  const key = cell(fields, column);
  if (typeof key !== 'string' || key === '') {
    const columns = Object.keys(withoutMark(fields)).map(quotedName).join(', ');
    throw invalidInput(
      `the column ${quotedName(column)} must hold the key of a request, got ${kindOf(key)}: the row has ${columns}`,
    );
  }
  return { request: requestOfKey(key), content: { key } };
}

function cell(fields: JsonRecord, column = ''): unknown {
  return withoutMark(fields)[column];
}

function withoutMark(fields: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.replace(BYTE_ORDER_MARK, ''), value]),
  );
}

/** A line is an input of the pipeline's executions, whose version may be left out, with an `id` of the user's. */
function ofLine({ hasPreprocess }: BatchSettings, { id, ...line }: JsonRecord): OfItem {
  if (hasPreprocess) {
    const whole = { ...(id !== undefined && { id }), ...line };
    return { request: whole, content: { json: whole } };
  }
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
