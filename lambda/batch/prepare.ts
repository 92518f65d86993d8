/** Makes runs of a child's items: checks each item, names its result, and leaves out items that have a result. */
import type { BatchRow } from '../../contract/batch';
import type {
  BatchSettings,
  ChildInput,
  IndexedItem,
  PrepareAnswer,
  RunItem,
} from '../../contract/batch-function';
import { invalidInput, NamedFailure } from '../errors';
import { isRecord } from '../json-values';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';
import { finished } from 'node:stream/promises';
import { inParallel } from '../store/ranged-read';
import { isFolder, itemName, type KnownItem, readItem } from './item';
import { resultName } from './result-key';
import { failureOfItem } from './row';
import { alone, stackRuns } from './stack';

/** Requests to S3 at once. A child has at most 40 items. */
const CONNECTIONS = 16;

/** An item that has no result yet. */
export type ItemToRun = RunItem & { readonly request: unknown; readonly resultKey: string };

export interface PrepareContext {
  readonly settings: BatchSettings;
  readonly objects: ObjectStore;
  /** Names the objects of stacked requests. */
  readonly requestId: string;
  readonly memoryBytes: number;
}

export async function prepare(
  { Items, BatchInput }: ChildInput,
  context: PrepareContext,
): Promise<PrepareAnswer> {
  const { settings } = context;
  const rows: BatchRow[] = [];
  const items: ItemToRun[] = [];
  const { attempt } = BatchInput;
  await inParallel(
    Items.filter((item) => !isFolder(settings, item)),
    CONNECTIONS,
    async (item) => {
      const about = { index: item.index, item: itemName(settings, item), attempt };
      try {
        const prepared = await prepareItem(item, context);
        if ('request' in prepared) items.push(prepared);
        else rows.push({ ...about, status: 'skipped', result: prepared.result });
      } catch (error) {
        // A fault of S3 concerns all items, and the state machine repeats the call.
        if (!(error instanceof NamedFailure) || error.name !== 'InvalidInput') throw error;
        rows.push({ ...about, status: 'failed', failure: failureOfItem(error.name, error.message) });
      }
    },
  );
  items.sort((a, b) => a.index - b.index);
  if (settings.stacking === undefined) return { runs: items.map(alone), rows };
  const { runs, failed } = await stackRuns(items, settings.stacking, context);
  return { runs, rows: [...rows, ...failed.map((row) => ({ ...row, attempt }))] };
}

async function prepareItem(
  item: IndexedItem,
  context: PrepareContext,
): Promise<ItemToRun | { readonly result: string }> {
  const { settings, objects } = context;
  const known = readItem(settings, item);
  const name = resultName(settings, known.name, await contentOf(known, context));
  const resultKey = `${name}.safetensors`;
  const result = settings.hasPostprocess ? `${name}.json` : resultKey;
  if ((await etagOf(objects, settings.bucket, result)) !== undefined) return { result };
  return { index: known.index, item: known.name, result, request: known.request, resultKey };
}

async function contentOf({ content }: KnownItem, { settings, objects }: PrepareContext): Promise<string> {
  if ('etag' in content) return content.etag.replaceAll('"', '');
  if ('json' in content) return JSON.stringify(sorted(content.json));
  const etag = await etagOf(objects, settings.bucket, content.key);
  if (etag !== undefined) return etag.replaceAll('"', '');
  throw invalidInput(`the request's object is missing or not permitted: check the item's key`);
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
