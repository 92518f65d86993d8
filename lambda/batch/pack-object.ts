/** The object that a slice writes for a pack: the tensors of all items, and in its metadata which items these are. */
import { entryName, PACK, type SliceEntries } from '../../contract/batch-pack';
import { sliceObjectKey } from '../../contract/keys';
import type { SourcedTensor } from '../../contract/slice-manifest';
import { sliceFailed } from '../errors';
import { parsedRecord } from '../json-values';
import type { SafetensorsStore } from '../store/safetensors-store';
import { tensorNamed, type RawTensor } from '../tensors/tensor';

export type NamedTensors = ReadonlyMap<string, RawTensor>;

/** By their names in the object. @param items the tensors of each item, in the order of the entries */
export function tensorsOfEntries(items: readonly NamedTensors[]): Map<string, RawTensor> {
  const named = items.flatMap((tensors, entry) =>
    [...tensors].map(([name, tensor]) => [entryName(entry, name), tensor] as const),
  );
  return new Map(named);
}

export function metadataOf(entries: object): Record<string, string> {
  return { [PACK]: JSON.stringify(entries) };
}

/** What slices before have computed for a pack. */
export interface GatheredPack extends Pick<SliceEntries, 'failed' | 'left'> {
  /** The items that all of these slices have computed. */
  readonly items: readonly {
    readonly index: number;
    readonly digest: string;
    readonly tensors: NamedTensors;
  }[];
}

/** Reads the objects of the slices before. Inputs of the model are in the first one's. */
export async function gatherPack(
  needed: readonly SourcedTensor[],
  { run, store }: { readonly run: string; readonly store: SafetensorsStore },
): Promise<GatheredPack> {
  const bySlice = new Map<number, string[]>();
  for (const { name, source } of needed) {
    const slice = source.from === 'slice' ? source.slice : 0;
    bySlice.set(slice, [...(bySlice.get(slice) ?? []), name]);
  }
  // A slice of constants reads nothing, but runs for each item.
  if (bySlice.size === 0) bySlice.set(0, []);
  const parts = await Promise.all([...bySlice].map(([slice, names]) => readPart(slice, names, run, store)));
  const [first, ...others] = parts;
  const items = [...first.items].flatMap(([index, { digest, tensors }]) => {
    const rest = others.map((part) => part.items.get(index));
    if (rest.includes(undefined)) return [];
    return [
      { index, digest, tensors: new Map([...tensors, ...rest.flatMap((own) => [...(own?.tensors ?? [])])]) },
    ];
  });
  const failed = new Map(parts.flatMap((part) => part.failed).map((own) => [own.items.join(), own]));
  // One slice may have left an item on which another one beside it failed.
  const hasFailed = new Set([...failed.values()].flatMap((own) => own.items));
  const left = new Set(parts.flatMap((part) => part.left).filter((index) => !hasFailed.has(index)));
  return { items, failed: [...failed.values()], left: [...left] };
}

async function readPart(slice: number, names: readonly string[], run: string, store: SafetensorsStore) {
  const reader = await store.open(sliceObjectKey(run, slice));
  const own = sliceEntries(reader.pack);
  if (own === undefined) {
    await reader.discard();
    throw sliceFailed(`the object of slice ${slice} must have the items of a pack: start the batch again`);
  }
  const { entries, failed, left } = own;
  const all = entries.flatMap((_, entry) => names.map((name) => entryName(entry, name)));
  const found = await reader.read(all);
  const items = entries.map(([index, digest], entry) => {
    const tensors = names.map((name) => [name, tensorNamed(found, entryName(entry, name))] as const);
    return [index, { digest, tensors: new Map(tensors) }] as const;
  });
  return { items: new Map(items), failed, left };
}

/** @returns undefined for the object of another kind of run */
function sliceEntries(text: string | undefined): SliceEntries | undefined {
  const value = parsedRecord(text ?? '') ?? {};
  const { entries, failed, left } = value;
  const isPack =
    Array.isArray(entries) && Array.isArray(failed) && Array.isArray(left) && entries.every(Array.isArray);
  return isPack ? (value as unknown as SliceEntries) : undefined;
}

/** The digests of the entries of a result. @returns undefined for another object */
export function resultDigests(text: string | undefined): readonly string[] | undefined {
  const { digests } = parsedRecord(text ?? '') ?? {};
  return Array.isArray(digests) && digests.every((digest) => typeof digest === 'string')
    ? digests
    : undefined;
}
