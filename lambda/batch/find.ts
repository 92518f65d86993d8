/** Tells which items of a child have a result already, and the digests of the others. */
import type { FoundItems, ItemsToFind } from '../../contract/batch-function';
import type { PackItem, PackResult } from '../../contract/batch-pack';
import { sourceOf, type BatchContext } from './context';
import { identifiedItem } from './item-digest';
import { isOfItem } from './item-failure';
import { bytesOfObject } from './objects';
import { readAhead } from './read-ahead';
import { ResultIndex } from './result-index';

/** Requests to S3 at once, for the ETags of objects that no list has told. */
const REQUESTS_AT_ONCE = 32;

/** All children of an execution have the same. */
let kept: { readonly key: string; readonly index: Promise<ResultIndex> } | undefined;

export async function findResults(
  { items, index: key, prefix }: ItemsToFind,
  context: BatchContext,
): Promise<FoundItems> {
  const index = key === '' ? undefined : await indexAt(key, context);
  const source = sourceOf(context.settings);
  const digestOf = async (item: PackItem): Promise<string | undefined> => {
    try {
      return (await identifiedItem(source, item, context.objects)).digest;
    } catch (error) {
      // The first slice says why.
      if (isOfItem(error)) return undefined;
      throw error;
    }
  };
  const left: number[] = [];
  const digests: Record<string, string> = {};
  const found = new Map<string, { items: number[]; entries: number[] }>();
  let at = 0;
  for await (const digest of readAhead(items, digestOf, { most: REQUESTS_AT_ONCE })) {
    const { index: item } = items[at++];
    const result = digest === undefined ? undefined : index?.find(digest);
    if (result === undefined) {
      left.push(item);
      if (digest !== undefined) digests[item] = digest;
      continue;
    }
    const of = found.get(result.name) ?? { items: [], entries: [] };
    found.set(result.name, of);
    of.items.push(item);
    of.entries.push(result.entry);
  }
  const results = [...found].map(([name, of]): PackResult => ({ key: `${prefix}${name}`, ...of }));
  return { results, left, ...(context.settings.hasPreprocess && { digests }) };
}

async function indexAt(key: string, context: BatchContext): Promise<ResultIndex> {
  if (kept?.key !== key)
    kept = { key, index: bytesOfObject(key, context).then((bytes) => ResultIndex.decode(bytes)) };
  return await kept.index.catch((error: unknown) => {
    kept = undefined;
    throw error;
  });
}
