/** The items of a pack as the first slice gets them: reads their requests, several at a time. */
import type { PackItem, PackSource } from '../../contract/batch-pack';
import type { SliceManifest } from '../../contract/slice-manifest';
import { openRequest } from '../request/request';
import type { ObjectStore } from '../store/object-store';
import type { SafetensorsStore } from '../store/safetensors-store';
import { tensorBytes, type RawTensor } from '../tensors/tensor';
import { identifiedItem, preprocessedItem } from './item-digest';
import { failureOfItem, isOfItem } from './item-failure';
import { readAhead } from './read-ahead';
import { inputOfRow } from './row-tensors';

export interface ReadItem {
  readonly index: number;
  readonly digest: string;
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

export interface UnreadItem {
  readonly index: number;
  /** Why the item cannot run. */
  readonly failure: { readonly error: string; readonly cause: string };
}

interface RequestStores {
  readonly objects: ObjectStore;
  readonly callers: SafetensorsStore;
  readonly memoryBytes: number;
}

/** Connections of a slice function to one bucket. */
const REQUESTS_AT_ONCE = 16;

/** @param needed names of the tensors that the pack needs */
export function packRequests(
  { items, source }: { readonly items: readonly PackItem[]; readonly source: PackSource },
  needed: readonly string[],
  manifest: SliceManifest,
  { stores, maxBytes }: { readonly stores: RequestStores; readonly maxBytes: number },
): AsyncGenerator<ReadItem | UnreadItem, void> {
  const identify = source.hasPreprocess ? preprocessedItem : identifiedItem;
  const read = async (item: PackItem): Promise<ReadItem | UnreadItem> => {
    const { index } = item;
    try {
      const {
        digest,
        content,
        input = inputOfRow(content, manifest.request, source.kind),
      } = await identify(source, item, stores.objects);
      const reader = await openRequest(input, manifest, stores.callers, stores.memoryBytes);
      return { index, digest, tensors: await reader.read(needed) };
    } catch (error) {
      if (!isOfItem(error)) throw error;
      return { index, failure: failureOfItem(error.name, error.message) };
    }
  };
  return readAhead(items, read, { most: REQUESTS_AT_ONCE, maxBytes, bytesOf });
}

function bytesOf(item: ReadItem | UnreadItem): number {
  return 'failure' in item ? 0 : bytesOfTensors(item.tensors);
}

export function bytesOfTensors(tensors: ReadonlyMap<string, RawTensor>): number {
  return [...tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}
