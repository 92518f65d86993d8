/** Digests of items, and keys of results: they depend on the name and the content of each request, so a result that is there is right. */
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { PackItem, PackSource } from '../../contract/batch-pack';
import { invalidInput } from '../errors';
import { isRecord } from '../json-values';
import { parseExecutionInput, type ParsedInput } from '../request/request';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';
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
}

/** @throws NamedFailure `InvalidInput` if the item stands for no request, or if an object that it names is missing */
export async function identifiedItem(
  source: PackSource,
  item: PackItem,
  objects: ObjectStore,
): Promise<IdentifiedItem> {
  return await identified(
    source,
    item,
    async (object) => object.etag ?? (await etagNow(object, source, objects)),
  );
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
  const before = item.digest ?? (await identifiedItem(source, item, objects)).digest;
  const now = await identified(source, item, async (object) =>
    // Only requests may be read here.
    object.key.startsWith(INPUTS_PREFIX) ? await etagNow(object, source, objects) : (object.etag ?? ''),
  );
  if (now.digest === before) return now;
  throw invalidInput('an object of the item was replaced or deleted during the batch: start the batch again');
}

async function identified(
  source: PackSource,
  item: PackItem,
  etagOf: (object: NamedObject) => Promise<string>,
): Promise<IdentifiedItem> {
  const { request, objects: named, content } = readItem(source, item);
  const input = request === undefined ? undefined : parseExecutionInput(request);
  // Only some of the sources have quotes.
  const etags = await Promise.all(named.map(async (object) => (await etagOf(object)).replaceAll('"', '')));
  const digest = digestOf(JSON.stringify([itemName(source, item), etags, sorted(content)]));
  if (input?.tensors.kind !== 'object' || source.hasPreprocess)
    return { digest, content, ...(input && { input }) };
  // S3 tells no ETag of an empty object, which nobody could ask for then.
  if (etags[0] === '') throw invalidInput("the request's object is empty: write a safetensors file");
  return { digest, input: { ...input, tensors: { ...input.tensors, etag: `"${etags[0]}"` } } };
}

async function etagNow(
  { key }: NamedObject,
  { bucket, hasPreprocess }: PackSource,
  objects: ObjectStore,
): Promise<string> {
  try {
    const { version, body } = await objects.get({ bucket, key }, { start: 0, end: 1 });
    // Read to its end, so that the connection is used again.
    await finished(body.resume());
    return version;
  } catch (error) {
    if (!(error instanceof ObjectUnavailable)) throw error;
    // The preprocess function knows whether the field is a key at all.
    if (hasPreprocess) return '';
    throw invalidInput(`the request's object ${error.problem}: check the item's key`);
  }
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
