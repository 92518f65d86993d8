/** Environment variables of a batch's function, the events that its state machine sends, and the function's answers. */
import type { BatchItemsSignature, BatchUsage } from './batch';
import type { HandledItem, PackFailure, PackItem, PackResult } from './batch-pack';

/** The environment variable of a batch's function with the JSON of its `BatchSettings`. */
export const SETTINGS_VARIABLE = 'BATCH_SETTINGS';

export interface BatchSettings {
  /** The pipeline's bucket: of requests, results and tables. */
  readonly bucket: string;
  readonly deploymentDigest: string;
  readonly items: BatchItemsSignature;
  /** Prefix of the results, with a slash at its end. */
  readonly resultsPrefix: string;
  /** Digests of the code of the handlers, or their ARNs: results that other code made are not skipped. */
  readonly handlers: readonly string[];
  readonly hasPreprocess: boolean;
  readonly hasPostprocess: boolean;
  /** Most failed items, and the most of 100, of a batch that succeeds. */
  readonly toleratedFailures?: number;
  readonly toleratedFailurePercentage: number;
}

/** Begins an execution: finds the results of earlier ones. */
export interface BatchToStart {
  /** Name of the execution. */
  readonly execution: string;
  /** Whether results of earlier executions do not count. */
  readonly again: boolean;
}

/** What all children share: their `BatchInput`. */
export interface StartedBatch {
  /** Prefix of the results of this deployment. */
  readonly prefix: string;
  /** Key of the index of earlier results; empty without any. */
  readonly index: string;
  /** See `PackEvent.salt`; empty unless the execution does everything again. */
  readonly salt: string;
}

/** The input of a child. */
export interface ChildInput {
  readonly Items: readonly PackItem[];
  /** With the name of the batch's execution. */
  readonly BatchInput: StartedBatch & { readonly execution: string };
}

/** Asks which items have a result already. */
export interface ItemsToFind {
  readonly items: readonly PackItem[];
  readonly index: string;
  readonly prefix: string;
}

export interface FoundItems {
  readonly results: readonly PackResult[];
  /** Indices of the items without a result. */
  readonly left: readonly number[];
  /** Their digests by index, if a preprocess function follows. A bad item has none. */
  readonly digests?: Readonly<Record<string, string>>;
}

/** What a postprocess function answered for entries of a result. */
export interface AnswersToStore {
  /** Key of the result's object. */
  readonly result: string;
  /** Indices of the items from the first answer on, in the order of the entries. */
  readonly items: readonly number[];
  /** The entry of the first answer. */
  readonly from: number;
  readonly answers: readonly HandledItem[];
  readonly prefix: string;
  readonly salt: string;
}

export interface StoredAnswers {
  /** None if all failed. */
  readonly results: readonly PackResult[];
  readonly failed: readonly PackFailure[];
}

/** Failed items of a child. */
export interface FailuresToReport {
  readonly execution: string;
  readonly failed: readonly PackFailure[];
  /** Indices of the items with results. Some of them may have failed before. */
  readonly done: readonly number[];
}

export interface ReportedFailures {
  /** Key of the object with the failures: `PackFailure`s. Empty if all items have results after all. */
  readonly key: string;
}

/** The output of a child. Items that are neither in `results` nor in the object of `failures` did not run. */
export interface ChildOutput {
  readonly results: readonly ChildResult[];
  /** Key of an object; empty if no item failed. */
  readonly failures: string;
}

/** Absent but for `key` and `items` if there was a result already. */
export interface ChildResult extends PackResult {
  /** Wall-clock milliseconds of the run. */
  readonly ms?: number;
  readonly calls?: readonly ChildCall[];
}

export interface ChildCall extends Pick<BatchUsage, 'slice' | 'whole'> {
  /** Milliseconds of the call times the memory in MB. */
  readonly mbMs: number;
  readonly processor?: string;
}

export interface TableToWrite {
  /** Name of the execution. */
  readonly execution: string;
  readonly location: string;
  /** The manifest of the result writer; absent if the map has failed. */
  readonly manifest?: string;
  /** Why the map has failed. */
  readonly failure?: { readonly Error?: string; readonly Cause?: string };
}

export type BatchEvent =
  | { readonly start: BatchToStart }
  | { readonly find: ItemsToFind }
  | { readonly store: AnswersToStore }
  | { readonly report: FailuresToReport }
  | { readonly table: TableToWrite };

/** Names of the errors with which the batch's function fails, besides those of slice functions. */
export const BATCH_ERROR_NAMES = {
  /** Of a batch: there are no items. */
  noItems: 'NoItems',
  /** Of a batch: more items failed than it tolerates. The table is written. */
  tooManyFailures: 'TooManyFailures',
  /** Of a batch: its index of earlier results does not fit into the function's memory. */
  tooManyResults: 'TooManyResults',
  /** Of a batch: the table does not fit on the function's disk. */
  tableTooLarge: 'TableTooLarge',
  /** Of a batch: items did not run, such as those behind one that took all the time. The table is written. */
  itemsPending: 'ItemsPending',
} as const;

/** The metric of the batch's function, with its name as dimension. */
export const FAILED_ITEMS_METRIC = 'FailedItems';

/** Below the prefix of results. */
export const MAP_RUNS_FOLDER = 'map-runs/';
export const TABLES_FOLDER = 'tables/';
export const INDICES_FOLDER = 'indices/';
/** Has an object for each run with failed items; its name ends with their number. */
export const FAILURES_FOLDER = 'failures/';
