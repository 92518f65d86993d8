/** Environment variables of a batch's function, the events that its state machine sends, and the function's answers. */
import type { BatchItemsSignature, BatchRow, BatchUsage } from './batch';

/** The environment variable of a batch's function with the JSON of its `BatchSettings`. */
export const SETTINGS_VARIABLE = 'BATCH_SETTINGS';

export interface BatchSettings {
  /** The pipeline's bucket: of requests, results and tables. */
  readonly bucket: string;
  readonly deploymentDigest: string;
  readonly items: BatchItemsSignature;
  /** Prefix of the results, with a slash at its end. */
  readonly resultsPrefix: string;
  /** Of the code of the handlers, if there are any: results that other code made are not skipped. */
  readonly handlerDigest?: string;
  readonly hasPreprocess: boolean;
  readonly hasPostprocess: boolean;
  /** Most failed items, and the most of 100, of a batch that succeeds. */
  readonly toleratedFailures?: number;
  readonly toleratedFailurePercentage: number;
}

/** An item as the ItemSelector of the distributed map makes it. */
export interface IndexedItem {
  readonly index: number;
  /** What the item reader found: an entry of a list of objects or of an inventory, a line, or a row. */
  readonly value: unknown;
}

/** What all items of a child share. */
export interface ChildInput {
  readonly Items: readonly IndexedItem[];
  readonly BatchInput: { readonly execution: string; readonly attempt: number };
}

export interface RunItem {
  readonly index: number;
  readonly item: string;
  /** Key of its result. */
  readonly result: string;
}

/** A run of the pipeline for one item. It is the input of an iteration of the child's inline Map. */
export interface BatchRun {
  readonly item: RunItem;
  readonly request: unknown;
  /** Where the last slice writes the tensors of the result. */
  readonly resultKey: string;
}

/** What a run of a child came to. Exactly one of `failure` and `ms` is set. */
export interface RunOutcome {
  readonly item: RunItem;
  /** Where the tensors of the result are. */
  readonly s3?: { readonly bucket: string; readonly key: string };
  /** What the postprocess function answered. */
  readonly output?: unknown;
  readonly ms?: number;
  /** By slice, or of the whole model alone: milliseconds of the call times the memory in MB. */
  readonly mbMs?: readonly number[];
  readonly isWhole?: boolean;
  readonly processors?: readonly string[];
  readonly failure?: { readonly Error?: string; readonly Cause?: string };
}

export interface PrepareAnswer {
  readonly runs: readonly BatchRun[];
  /** Of items that do not run. */
  readonly rows: readonly BatchRow[];
}

/** The output of a child. Of a child with failed items, the JSON in the cause of its failure. */
export interface ChildOutput {
  readonly rows: readonly BatchRow[];
  readonly usage: readonly BatchUsage[];
}

export interface ChildToFinish {
  readonly rows: readonly BatchRow[];
  readonly runs: readonly RunOutcome[];
  readonly attempt: number;
}

export interface TableToWrite {
  /** Name of the execution. */
  readonly execution: string;
  readonly location: string;
  /** The manifest of the result writer. */
  readonly manifest: string;
}

export type BatchEvent =
  { readonly prepare: ChildInput } | { readonly finish: ChildToFinish } | { readonly table: TableToWrite };

/** Names of the errors with which the batch's function fails, besides those of slice functions. */
export const BATCH_ERROR_NAMES = {
  /** Of a child: at least one of its items failed. */
  itemsFailed: 'ItemsFailed',
  /** Of a batch: there are no items. */
  noItems: 'NoItems',
  /** Of a batch: more items failed than it tolerates. The table is written. */
  tooManyFailures: 'TooManyFailures',
} as const;

/** Below the prefix of results. */
export const MAP_RUNS_FOLDER = 'map-runs/';
export const TABLES_FOLDER = 'tables/';
