/** Makes runs of a child's items: checks each item, names its result, and leaves out items that have a result. */
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { BatchRow } from '../../contract/batch';
import type { BatchRun, ChildInput, PrepareAnswer } from '../../contract/batch-function';
import { ERROR_NAMES } from '../../contract/failures';
import { invalidInput, NamedFailure } from '../errors';
import { isRecord } from '../json-values';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';
import { inParallel } from '../store/ranged-read';
import type { BatchContext } from './context';
import { isFolder, itemName, type KnownItem, readItem } from './item';
import { resultName } from './result-key';
import { failureOfItem } from './row';

/** Requests to S3 at once. A child has at most 40 items. */
const CONNECTIONS = 16;

export async function prepare(
  { Items, BatchInput: { attempt, execution } }: ChildInput,
  context: BatchContext,
): Promise<PrepareAnswer> {
  const { settings, objects } = context;
  const rows: BatchRow[] = [];
  const runs: BatchRun[] = [];
  const known = Items.filter((own) => !isFolder(settings, own));
  await inParallel(known, CONNECTIONS, async (own) => {
    const about = { index: own.index, item: itemName(settings, own) };
    try {
      const { request, content } = await withContent(readItem(settings, own, attempt), context);
      const name = resultName(settings, about.item, content);
      const resultKey = `${name}.safetensors`;
      const result = settings.hasPostprocess ? `${name}.json` : resultKey;
      const isThere = (await etagOf(objects, settings.bucket, result)) !== undefined;
      if (isThere) rows.push({ ...about, attempt, status: 'skipped', result });
      else runs.push({ item: { ...about, result }, request, resultKey });
    } catch (error) {
      // A fault of S3 concerns all items, and the state machine repeats the call.
      if (!(error instanceof NamedFailure) || error.name !== ERROR_NAMES.invalidInput) throw error;
      const failure = failureOfItem(error.name, error.message);
      rows.push({ ...about, attempt, status: 'failed', failure });
    }
  });
  // An item that ends the whole child must not keep the same others from running in each rerun.
  const turn = createHash('sha256').update(execution).digest()[0];
  const place = ({ item: { index } }: BatchRun): number => (index + turn) % Math.max(1, Items.length);
  runs.sort((a, b) => place(a) - place(b) || a.item.index - b.item.index);
  return { runs, rows };
}

/**
 * A request in S3 gets the ETag of its object: if another caller replaces the object during the batch, its item fails, instead of writing a
 * result under a key that does not belong to it.
 */
async function withContent(
  item: KnownItem,
  { settings, objects }: BatchContext,
): Promise<{ readonly request: unknown; readonly content: string }> {
  if ('json' in item) return { request: item.request, content: JSON.stringify(sorted(item.json)) };
  const { request, key } = item;
  const etag = item.etag ?? (await etagOf(objects, settings.bucket, key));
  if (etag === undefined)
    throw invalidInput(`the request's object is missing or not permitted: check the item's key`);
  const inputs = { ...(isRecord(request.inputs) && request.inputs), etag };
  return { request: { ...request, inputs }, content: etag.replaceAll('"', '') };
}

/** `undefined` if the object is missing. */
async function etagOf(objects: ObjectStore, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { version, body } = await objects.get({ bucket, key }, { start: 0, end: 1 });
    // Read to its end, so that the connection is used again.
    await finished(body.resume());
    return version;
  } catch (error) {
    if (error instanceof ObjectUnavailable) return undefined;
    throw error;
  }
}

/** The same for two lines whose fields are in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
}
