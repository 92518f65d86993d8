/** Digests of items, and keys of results: they depend on the name and the content of each request, so a result that is there is right. */
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { ObjectReference } from '../../contract/execution';
import type { PackItem, PackSource } from '../../contract/batch-pack';
import { invalidInput } from '../errors';
import { isRecord } from '../json-values';
import { parseExecutionInput, type ParsedInput } from '../request/request';
import { ObjectChanged, ObjectUnavailable, type ObjectStore } from '../store/object-store';
import { INPUTS_PREFIX } from '../../contract/keys';
import { itemName, readItem, type NamedObject } from './item';

/** Hexadecimal digits of a digest. Contents may come from strangers. */
export const DIGEST_DIGITS = 32;
const SALT_DIGITS = 8;

export interface IdentifiedItem {
  readonly digest: string;
  /** The request. One in S3 must have the ETag that the digest was made of. Absent if `content` has the tensors. */
  readonly input?: ParsedInput;
  /** See `ItemRequest`. */
  readonly content?: unknown;
  readonly named: readonly NamedObject[];
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request, or if an object that it names is missing */
export async function identifiedItem(
  source: PackSource,
  item: PackItem,
  objects: ObjectStore,
): Promise<IdentifiedItem> {
  const { request, objects: named, content } = readItem(source, item);
  const input = request === undefined ? undefined : parseExecutionInput(request);
  const etags = await Promise.all(named.map((object) => knownEtag(object, source, objects)));
  const digest = digestOf(JSON.stringify([itemName(source, item), etags, sorted(content)]));
  const identified = { digest, content, named, ...(input && { input }) };
  if (input?.tensors.kind !== 'object') return identified;
  const { key: requested } = input.tensors;
  const etag = etags.find((_, at) => named[at].key === requested);
  if (etag === undefined) return identified;
  // S3 tells no ETag of an empty object, which nobody could ask for then.
  if (etag === '') throw invalidInput("the request's object is empty: write a safetensors file");
  return { ...identified, input: { ...input, tensors: { ...input.tensors, etag: `"${etag}"` } } };
}

/**
 * After the preprocess function has read the objects that the item names: somebody may have replaced one before.
 * @throws NamedFailure `InvalidInput` also if an object is not the one of the item's digest
 */
export async function preprocessedItem(
  source: PackSource,
  item: PackItem,
  objects: ObjectStore,
): Promise<IdentifiedItem> {
  const now = await identifiedItem(source, item, objects);
  const { digest = now.digest } = item;
  if (now.digest !== digest) {
    const tensors = now.input?.tensors;
    // The function may have written the request that the item names: no rerun finds a result of this digest.
    if (tensors?.kind === 'object' && tensors.etag) return { ...now, digest: digestOf(digest + now.digest) };
    throw invalidInput('an object of the item was replaced or deleted during the batch: start it again');
  }
  for (const { key, etag } of now.named) {
    // Only requests may be read.
    if (etag === undefined || !key.startsWith(INPUTS_PREFIX)) continue;
    await etagOf({ bucket: source.bucket, key }, objects, `"${unquoted(etag)}"`).catch((error: unknown) => {
      const isItsFault = error instanceof ObjectChanged || error instanceof ObjectUnavailable;
      throw isItsFault ? invalidInput(`the item's object ${error.message}`) : error;
    });
  }
  return now;
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}

/** Without quotes, which only some of the sources have. */
async function knownEtag(
  { key, etag }: NamedObject,
  { bucket, hasPreprocess }: PackSource,
  objects: ObjectStore,
): Promise<string> {
  if (etag !== undefined) return unquoted(etag);
  try {
    return unquoted(await etagOf({ bucket, key }, objects));
  } catch (error) {
    if (!(error instanceof ObjectUnavailable)) throw error;
    // The preprocess function knows whether the field is a key at all.
    if (hasPreprocess) return '';
    throw invalidInput(`the request's object ${error.problem}: check the item's key`);
  }
}

/** @returns nothing if the object is empty */
async function etagOf(object: ObjectReference, objects: ObjectStore, expected?: string): Promise<string> {
  const { version, body } = await objects.get(object, { start: 0, end: 1 }, expected);
  // Read to its end, so that the connection is used again.
  await finished(body.resume());
  return version;
}

/** Of JSON. What walks deeper values may exhaust the stack. */
const MAX_DEPTH = 100;

/** The same for two lines whose fields are in another order. */
function sorted(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH)
    throw invalidInput(`an item must be JSON of at most ${MAX_DEPTH} levels, got more: flatten it`);
  if (Array.isArray(value)) return value.map((element) => sorted(element, depth + 1));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field, depth + 1)]));
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);
}

/** Of the salt of an execution that does everything again. */
export function saltOf(execution: string): string {
  return digestOf(execution).slice(0, SALT_DIGITS);
}

/** The name of a result's object: the number of its items, and a digest of theirs. That of one item is its own. */
export function resultName(digests: readonly string[], salt: string, extension: string): string {
  const digest = digests.length === 1 ? digests[0] : digestOf(digests.join());
  return `${digests.length}-${digest}${salt === '' ? '' : `-${salt}`}.${extension}`;
}

const RESULT_NAME = new RegExp(
  `^(\\d+)-([0-9a-f]{${DIGEST_DIGITS}})(?:-[0-9a-f]{${SALT_DIGITS}})?\\.(?:safetensors|jsonl)$`,
);

/** @returns undefined for another object */
export function parseResultName(
  name: string,
): { readonly items: number; readonly digest: string } | undefined {
  const found = RESULT_NAME.exec(name);
  return found === null ? undefined : { items: Number(found[1]), digest: found[2] };
}
