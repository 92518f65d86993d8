/** Begins an execution of a batch: finds the results that earlier ones have written, of whatever list, also if they never ended. */
import {
  BATCH_ERROR_NAMES,
  INDICES_FOLDER,
  type BatchToStart,
  type StartedBatch,
} from '../../contract/batch-function';
import { ERROR_NAMES } from '../../contract/failures';
import { NamedFailure } from '../errors';
import { ObjectUnavailable } from '../store/object-store';
import { SafetensorsStore } from '../store/safetensors-store';
import { SafetensorsError } from '../tensors/safetensors-header';
import { resultExtension, type BatchContext } from './context';
import { digestOf, parseResultName, saltOf } from './item-digest';
import { BatchFailed } from './item-failure';
import { bytesOfObject, listObjects, writeObject } from './objects';
import { resultDigests } from './pack-object';
import { readAhead } from './read-ahead';
import { ResultIndex } from './result-index';
import { storedLines } from './stored-answers';

/** Of a deployment, in hexadecimal digits: few share a prefix. */
const DEPLOYMENT_DIGITS = 12;

/** Objects that are read at once. */
const OBJECTS_AT_ONCE = 32;

/** The digests of the items are at the start of a result. */
const FIRST_READ_BYTES = 64 * 1024;

/** The function holds the index, of 403 MB for so many items, and about 450 bytes for each object. */
const MAX_INDEXED_ITEMS = 10_000_000;
const MAX_INDEXED_OBJECTS = 2_000_000;

interface Result {
  readonly name: string;
  readonly items: number;
  readonly digest: string;
  readonly modified: number;
}

export async function startBatch(
  { execution, again }: BatchToStart,
  context: BatchContext,
): Promise<StartedBatch> {
  const { settings } = context;
  const { resultsPrefix, deploymentDigest, handlers } = settings;
  const deployment =
    handlers.length === 0 ? deploymentDigest : digestOf([deploymentDigest, ...handlers].join(' '));
  const prefix = `${resultsPrefix}${deployment.slice(0, DEPLOYMENT_DIGITS)}/`;
  if (again) return { prefix, index: '', salt: saltOf(execution) };
  const results = await resultsBelow(prefix, context);
  if (results.length === 0) return { prefix, index: '', salt: '' };
  const index = await indexOf(results, prefix, context);
  // Of this call, because results may come and go until a retry.
  const key = `${resultsPrefix}${INDICES_FOLDER}${execution}-${context.requestId}`;
  await writeObject(key, index.encode(), context);
  return { prefix, index: key, salt: '' };
}

/** The newest first: an execution that did everything again counts more than those before. */
async function resultsBelow(prefix: string, context: BatchContext): Promise<Result[]> {
  const results: Result[] = [];
  let items = 0;
  const extension = resultExtension(context.settings);
  for await (const { key, modified } of listObjects(prefix, context)) {
    // A copy: a part of a text keeps the whole text in memory.
    const name = Buffer.from(key.slice(prefix.length)).toString();
    const known = name.endsWith(`.${extension}`) ? parseResultName(name) : undefined;
    if (known === undefined) continue;
    items += known.items;
    results.push({ name, ...known, modified });
    requireRoom(items, results.length);
  }
  return results.sort((a, b) => b.modified - a.modified);
}

/** @throws BatchFailed if so many results in so many objects do not fit into the function's memory */
export function requireRoom(items: number, objects: number): void {
  if (items <= MAX_INDEXED_ITEMS && objects <= MAX_INDEXED_OBJECTS) return;
  const most = `${MAX_INDEXED_ITEMS} earlier results in ${MAX_INDEXED_OBJECTS} objects`;
  throw new BatchFailed(
    BATCH_ERROR_NAMES.tooManyResults,
    `a rerun must find at most ${most}, got ${items} in ${objects} or more: start the batch again with {"again": true}, or keep results for less time`,
  );
}

async function indexOf(
  results: readonly Result[],
  prefix: string,
  context: BatchContext,
): Promise<ResultIndex> {
  const names = results.map(({ name }) => name);
  const index = ResultIndex.empty(
    names,
    results.reduce((sum, { items }) => sum + items, 0),
  );
  const read = async ({ name, items, digest }: Result): Promise<readonly string[]> => {
    if (items === 1) return [digest];
    const digests = await digestsOf(`${prefix}${name}`, context);
    // The index has no room for more.
    return digests.length === items ? digests : [];
  };
  let object = 0;
  for await (const digests of readAhead(results, read, { most: OBJECTS_AT_ONCE })) {
    for (const [entry, digest] of digests.entries()) index.add(digest, object, entry);
    object++;
  }
  return index;
}

/** None of an object that is gone meanwhile, or that something else has written. */
async function digestsOf(key: string, context: BatchContext): Promise<readonly string[]> {
  const { objects, settings } = context;
  try {
    if (settings.hasPostprocess)
      return storedLines(await bytesOfObject(key, context)).map(({ digest }) => digest);
    const options = { firstReadBytes: FIRST_READ_BYTES };
    const reader = await new SafetensorsStore(objects, settings.bucket, options).open(key);
    await reader.discard();
    return resultDigests(reader.pack) ?? [];
  } catch (error) {
    const isNoResult =
      error instanceof ObjectUnavailable ||
      error instanceof SafetensorsError ||
      (error instanceof NamedFailure && error.name !== ERROR_NAMES.storageUnavailable);
    if (isNoResult) return [];
    throw error;
  }
}
