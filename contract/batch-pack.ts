/** A pack: the items of a batch that one run of the pipeline takes through every slice, one after the other. */
import type { BatchItemsKind } from './batch';

/** The fields of a slice function's event that belong to a pack. */
export interface PackEvent {
  /** In milliseconds since 1970: the function ends before, unless a single item takes longer. It takes one at least. */
  readonly until: number;
  /** Of the first slice and of the whole model. */
  readonly items?: readonly PackItem[];
  /** Of the same: how the items are read. */
  readonly source?: PackSource;
  /** Of the first slice: inputs of the model that later slices read. It hands them on, so that each request is read once. */
  readonly handedOn?: readonly string[];
  /** Of the last slice and of the whole model: the prefix of the results, with a slash at its end. */
  readonly resultsPrefix?: string;
  /** Of the same: sets results apart from those with the same content that earlier executions made. */
  readonly salt?: string;
  /** Of the same: whether the answer also has the results inside, if they are small. For a pack of one item. */
  readonly inline?: true;
}

/** What decides how an item names its request. */
export interface PackSource {
  readonly kind: BatchItemsKind;
  /** Name of the pipeline's bucket. */
  readonly bucket: string;
  /** Name of the bucket of the items. */
  readonly itemsBucket: string;
  /** Of `csv`: the column with the key of each item's request, unless columns are tensors. */
  readonly column?: string;
  readonly hasPreprocess?: true;
}

export interface PackItem {
  /** The item's place in the list of the batch, from 0 on. */
  readonly index: number;
  /** What the item reader found: an entry of a list of objects or of an inventory, a line, or a row. */
  readonly value: unknown;
  /** The digest of the item before its preprocess function read the objects that it names. Absent if a list told their ETags. */
  readonly digest?: string;
  /** What the preprocess function made of it. */
  readonly request?: unknown;
}

/** Items that failed for one reason. */
export interface PackFailure {
  /** Their indices. */
  readonly items: readonly number[];
  readonly error: string;
  /** A message, or the JSON around it that a function's failure has in Step Functions. */
  readonly cause: string;
  /** What else may be wrong. */
  readonly hint?: string;
}

/** What became of the items of a pack. Each is in exactly one of the three lists. */
export interface PackOutcome {
  /** Key of the object with the results; absent if there are none. */
  readonly result?: string;
  /** Indices of the items with results, in the order of the object's entries. */
  readonly done: readonly number[];
  readonly failed: readonly PackFailure[];
  /** Indices of the items that the functions did not reach in their time or memory. */
  readonly left: readonly number[];
}

/** The share of a function's memory for the tensors of a pack that it reads ahead, and as much for those that it has computed. */
export const PACK_MEMORY_SHARE = 1 / 24;

/** The name of a tensor in the object of a pack, which has those of several items. @param entry of the item, from 0 on */
export function entryName(entry: number, tensor: string): string {
  return `${entry}/${tensor}`;
}

/** In the metadata of a pack's object: JSON that says which items it has. That of results has the `digests` of the entries alone. */
export const PACK = 'pack';

/** A slice's metadata: for each entry the item's index and its digest, and what became of the other items. */
export interface SliceEntries extends Pick<PackOutcome, 'failed' | 'left'> {
  readonly entries: readonly (readonly [index: number, digest: string])[];
}

/** Where the results of items are. */
export interface PackResult {
  readonly key: string;
  /** Indices of the items. */
  readonly items: readonly number[];
  /** Their entries in the object. @default - 0, 1, 2 and so on */
  readonly entries?: readonly number[];
}

/** What a preprocess function gets instead of one item, and a postprocess function instead of one output. */
export interface PackToHandle {
  readonly pack: readonly unknown[];
  /** In milliseconds since 1970: from then on, the function begins no further item. */
  readonly until: number;
}

/** What the function of a wrapper answers: for the first items, in their order. The state machine sends the others again. */
export interface HandledPack {
  readonly pack: readonly HandledItem[];
}

export type HandledItem =
  { readonly value: unknown } | { readonly failure: { readonly error: string; readonly message: string } };

/** In bytes of JSON: what a handler answers for a pack. A state holds 256 KiB, and has the items too. */
export const MAX_HANDLED_BYTES = 120 * 1024;
