/** What an item of a batch is called, and the request that it stands for. */
import type { PackItem, PackSource } from '../../contract/batch-pack';
import { INPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName, type JsonRecord } from '../json-values';
import { problemOfKey } from '../request/request';

/** The request of an item, and what tells it from other requests. */
export interface ItemRequest {
  /** Input of the pipeline's executions. Absent if `content` has the tensors, by the names of columns. */
  readonly request?: unknown;
  /** Objects of the pipeline's bucket whose content the result depends on. */
  readonly objects: readonly NamedObject[];
  /** What else the result depends on. */
  readonly content?: unknown;
}

export interface NamedObject {
  readonly key: string;
  /** That the object had when it was listed, or that the item names. */
  readonly etag?: string;
}

/** Step Functions passes on a byte order mark as a part of the first column's name. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** The name of an item in the table: its key or `id`, or else its place. It never fails, because failed items have a name too. */
export function itemName(source: PackSource, { index, value }: PackItem): string {
  const name = fieldsOf(source, value)[source.column ?? (isOfObjects(source) ? 'Key' : 'id')];
  return isName(name) ? String(name) : `#${index}`;
}

/** Whether an item can have it as its name. */
export function isName(name: unknown): name is string | number {
  return typeof name === 'string' ? name !== '' : Number.isSafeInteger(name);
}

/** Whether the item is a folder that the S3 console made, which is an empty object. An inventory may lack sizes. */
export function isFolder(source: PackSource, { value }: PackItem): boolean {
  const { Key, Size } = fieldsOf(source, value);
  return isOfObjects(source) && typeof Key === 'string' && Key.endsWith('/') && (Size === 0 || Size === '0');
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request */
export function readItem(source: PackSource, { value, request }: PackItem): ItemRequest {
  if (!isRecord(value))
    throw invalidInput(`an item of ${source.kind} must be a JSON object, got ${kindOf(value)}`);
  const fields = fieldsOf(source, value);
  const own = isOfObjects(source) ? ofObject(source, fields) : undefined;
  // The function may answer by all that it gets.
  if (source.hasPreprocess)
    return { request, ...(own ?? { objects: namedIn(fields, source), content: fields }) };
  if (own !== undefined) return ofKey(own, source);
  if (isOfColumns(source)) return { objects: [], content: fields };
  return source.column === undefined ? ofLine(fields) : ofRow(source.column, fields);
}

function isOfObjects({ kind }: PackSource): boolean {
  return kind === 'objects' || kind === 'inventory';
}

/** Whether the columns of a row are tensors, unless a preprocess function makes these. */
function isOfColumns({ kind, column }: PackSource): boolean {
  return kind === 'parquet' || (kind === 'csv' && column === undefined);
}

function fieldsOf({ kind }: PackSource, value: unknown): JsonRecord {
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

function ofObject(
  { kind, bucket: own, itemsBucket, hasPreprocess }: PackSource,
  { Bucket, Key, Etag, ETag, ...others }: JsonRecord,
): Pick<ItemRequest, 'objects' | 'content'> {
  if (typeof Key !== 'string') throw invalidInput(`an item must have a Key, got ${kindOf(Key)}`);
  const bucket = typeof Bucket === 'string' ? Bucket : itemsBucket;
  const listed = Etag ?? ETag;
  const hasEtag = typeof listed === 'string' && listed !== '';
  // An inventory may be days old: then S3 is asked for the ETag of today, where the functions may read.
  const isReadable = kind === 'objects' || hasPreprocess !== true || Key.startsWith(INPUTS_PREFIX);
  if (bucket === own && isReadable)
    return { objects: [{ key: Key, ...(hasEtag && kind === 'objects' && { etag: listed }) }] };
  // Without the ETag, the other columns may show that the object has changed.
  return { objects: [], content: { ...(hasEtag ? { etag: listed } : others), bucket, key: Key } };
}

function ofKey({ objects }: Pick<ItemRequest, 'objects'>, { kind }: PackSource): ItemRequest {
  const object = objects.at(0);
  if (object === undefined) {
    throw invalidInput(
      `an item of ${kind} must be in the pipeline's bucket, got one in another bucket: copy it, or set a preprocess function`,
    );
  }
  return requestOf(object);
}

function ofRow(column: string, fields: JsonRecord): ItemRequest {
  const key = fields[column];
  if (typeof key === 'string' && key !== '') return requestOf({ key });
  const columns = Object.keys(fields).map(quotedName).join(', ');
  throw invalidInput(
    `the column ${quotedName(column)} must hold the key of a request, got ${kindOf(key)}: the row has ${columns}`,
  );
}

/**
 * A line is an input of the pipeline's executions, whose version may be left out, with an `id` of the user's. One without `inputs` has
 * the tensors in its fields.
 */
function ofLine({ id, ...line }: JsonRecord): ItemRequest {
  if (id !== undefined && id !== '' && !isName(id))
    throw invalidInput(`'id' must be a string or a whole number, got ${kindOf(id)}: write it as a string`);
  if (line.output !== undefined) {
    throw invalidInput("an item must have no 'output': the batch decides where results are");
  }
  const { s3: key, etag } = isRecord(line.inputs) ? line.inputs : {};
  // An input of the model may have this name.
  if (line.inputs === undefined || Array.isArray(line.inputs)) return { objects: [], content: line };
  const request = { version: CONTRACT_VERSION, ...line };
  if (typeof key !== 'string') return { request, objects: [], content: line };
  return { request, objects: [{ key, ...(typeof etag === 'string' && { etag }) }] };
}

function requestOf(object: NamedObject): ItemRequest {
  if (!object.key.startsWith(INPUTS_PREFIX)) {
    throw invalidInput(
      `a request must be below '${INPUTS_PREFIX}' in the pipeline's bucket, got ${quotedName(object.key)}: copy it, or set a preprocess function`,
    );
  }
  return { request: { version: CONTRACT_VERSION, inputs: { s3: object.key } }, objects: [object] };
}

/** Each costs a request to S3. */
const MAX_NAMED_OBJECTS = 32;

/** Objects that a row names at any depth, the outer ones first: a preprocess function will read them. */
function namedIn(fields: JsonRecord, { bucket }: PackSource): NamedObject[] {
  const start = `s3://${bucket}/`;
  const keys = new Set<string>();
  // Grows while it is read: recursion would need a stack as deep as the row.
  const values: unknown[] = [fields];
  for (const value of values) {
    if (typeof value === 'object' && value !== null)
      for (const nested of Object.values(value)) values.push(nested);
    if (typeof value !== 'string') continue;
    const key = value.startsWith(start) ? value.slice(start.length) : value;
    // A text may begin like a key, and be none.
    if (problemOfKey(key) === undefined) keys.add(key);
    if (keys.size === MAX_NAMED_OBJECTS) break;
  }
  return [...keys].map((key) => ({ key }));
}
