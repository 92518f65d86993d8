/** Makes the inputs of the children of a distributed Map from its items. */
import { jsonSize, type Json } from '../../json';
import type { DistributedMapState } from '../definition';
import type { Query } from '../query';
import type { Visit } from '../visit';
import type { ItemSource } from './item-source';

/** The input of one child. */
export interface Batch {
  /** Of the child, from 0. */
  readonly index: number;
  /** How many items it has. */
  readonly items: number;
  readonly input: Json;
}

/** An item that is larger than a batch may be gets one of its own, as we believe. @throws StateError if it is larger than an input may be */
export async function* batches(
  { batcher, itemSelector }: DistributedMapState,
  visit: Visit,
  source: ItemSource,
  { maxItems, maxBytes }: { readonly maxItems: number; readonly maxBytes: number },
): AsyncGenerator<Batch> {
  const selected = selectItems(itemSelector, visit, source);
  let index = 0;
  if (batcher === undefined) {
    for await (const item of selected) yield { index: index++, items: 1, input: visit.limited(item) };
    return;
  }
  const shared = batcher.batchInput && { BatchInput: await visit.evaluate(batcher.batchInput) };
  const emptySize = jsonSize({ Items: [], ...shared });
  let items: Json[] = [];
  let size = emptySize;
  const batch = (): Batch => {
    const input = visit.limited({ Items: items, ...shared });
    const made = { index: index++, items: items.length, input };
    [items, size] = [[], emptySize];
    return made;
  };
  for await (const item of selected) {
    const itemSize = jsonSize(item) + 1;
    if (items.length > 0 && size + itemSize - 1 > maxBytes) yield batch();
    items.push(item);
    size += itemSize;
    if (items.length >= maxItems) yield batch();
  }
  if (items.length > 0) yield batch();
}

async function* selectItems(
  itemSelector: Query | undefined,
  visit: Visit,
  source: ItemSource,
): AsyncGenerator<Json> {
  let Index = 0;
  for await (const item of source()) {
    const context = { Map: { Item: { Index: Index++, ...item } } };
    yield itemSelector === undefined ? item.Value : await visit.evaluate(itemSelector, {}, context);
  }
}
