/** What a batch takes, what it answers, and the rows of its table. */
import type { ObjectReference } from './execution';
import type { CONTRACT_VERSION } from './version';
import type { TensorSpec } from './tensors';

/** The key of the signature in the JSON of the comment of a batch's state machine. */
export const BATCH_SIGNATURE_KEY = 'inferenceBatch';

export const BATCH_ITEM_KINDS = ['objects', 'inventory', 'jsonLines', 'jsonArray', 'csv', 'parquet'] as const;

/** What the items of a batch are: objects below a prefix or of an inventory, or the entries of one list or of all lists below a prefix. */
export type BatchItemsKind = (typeof BATCH_ITEM_KINDS)[number];

/** Where the items of a batch are. */
export interface BatchItemsSignature {
  /** What an item is. */
  readonly kind: BatchItemsKind;
  /** Name of the bucket of the items. */
  readonly bucket: string;
  /** The prefix of the objects or lists, with a slash at its end, or the key of the object that lists the items. */
  readonly location: string;
  /** Executions may name places below it. */
  readonly folder: string;
  /** Of `csv`: the column that holds the key of each item's request, unless columns are tensors. */
  readonly column?: string;
}

/** What the comment of a batch's state machine says to callers. */
export interface BatchSignature {
  /** The version of the contract: 1. */
  readonly version: typeof CONTRACT_VERSION;
  /** Identifies the model, code and settings; see `SliceEvent.deploymentDigest`. */
  readonly deploymentDigest: string;
  /** Name of the bucket of requests and results. */
  readonly bucket: string;
  /** Where the items are, unless an execution names another place. */
  readonly items: BatchItemsSignature;
  /** The most items of one child execution. */
  readonly itemsPerRun: number;
  /** The most child executions at once. */
  readonly maxConcurrency: number;
  /** The prefix of the results, of the tables and of the files of the map runs, with a slash at its end. */
  readonly resultsPrefix: string;
  /** The tensors that a request must have. */
  readonly inputs: readonly TensorSpec[];
  /** The tensors of each result. */
  readonly outputs: readonly TensorSpec[];
  /** Whether a preprocess function turns each item into a request. */
  readonly preprocess?: true;
  /** Whether a postprocess function turns the results of each item into JSON. */
  readonly postprocess?: true;
}

/** Input of an execution of a batch's state machine. */
export interface BatchInput {
  /**
   * A prefix or a key, below the location of the batch's items.
   * @default - the location of the batch's items
   */
  readonly items?: string;
  /**
   * Whether all items run, also those that have a result.
   * @default false
   */
  readonly again?: boolean;
}

/** Where an item's result is. */
export interface BatchResult {
  /** The key of an object in the pipeline's bucket, which has the results of several items. */
  readonly key: string;
  /**
   * The item's number in the object, from 0 on: its tensors are named `<entry>/<tensor>`. In JSON Lines of a postprocess function, the
   * number of its line.
   */
  readonly entry: number;
}

/** Why an item has no result. */
export interface BatchFailure {
  /** The name of the error, such as `InvalidInput`. */
  readonly error: string;
  /** What was expected, what was there, and what to do. */
  readonly message: string;
}

/** An item in the table of a batch. */
export interface BatchRow {
  /** The item's place among the inputs, from 0 on. */
  readonly index: number;
  /** The key of the item, or its `id`, or the number of its line. */
  readonly item: string;
  /** `done`: this execution computed the result. `skipped`: there was one already. `pending`: the item did not run. */
  readonly status: 'done' | 'skipped' | 'failed' | 'pending';
  /** Absent if the item failed or is pending. */
  readonly result?: BatchResult;
  /** The JSON of a postprocess function, if it has at most `MAX_ROW_OUTPUT_BYTES`. The result's object has it in any case. */
  readonly output?: unknown;
  /** Only if the item failed. */
  readonly failure?: BatchFailure;
  /** The item's share of the wall-clock milliseconds of its run. */
  readonly ms?: number;
  /** The classes of the processors that computed the result, such as `x86_64 AVX2`. Absent if the item was skipped or failed. */
  readonly processors?: readonly string[];
}

/** Items that failed for the same reason. */
export interface BatchFailureCount extends BatchFailure {
  /** How many items failed with this error and message. */
  readonly count: number;
  /** One of these items. */
  readonly item: string;
}

/** What the calls of one slice, or of the whole model, took: the price is computed from it. */
export interface BatchUsage {
  /** Index of the slice; absent for the whole model. */
  readonly slice?: number;
  /** Set for the function of the whole model. */
  readonly whole?: true;
  /** Calls that succeeded. */
  readonly calls: number;
  /** Milliseconds of these calls, each times the memory of the function in MB. */
  readonly mbMs: number;
}

/** Output of a successful execution of a batch's state machine. */
export interface BatchOutput {
  /** The version of the contract: 1. */
  readonly version: typeof CONTRACT_VERSION;
  /** Identifies the model, code and settings that computed the results. */
  readonly deploymentDigest: string;
  /** The table: JSON Lines, one `BatchRow` for each item, in the order of the inputs. */
  readonly table: ObjectReference;
  /** How many items ended in which way. */
  readonly items: {
    /** All items. */
    readonly total: number;
    /** Items whose result this execution computed. */
    readonly done: number;
    /** Items that had a result. */
    readonly skipped: number;
    /** Items that failed. */
    readonly failed: number;
    /** Items that did not run. */
    readonly pending: number;
  };
  /** By cause, the most frequent first; at most `MAX_FAILURE_CAUSES`. */
  readonly failures: readonly BatchFailureCount[];
  /** Wall-clock milliseconds of all runs that computed results. */
  readonly milliseconds: number;
  /** Number of these runs. */
  readonly runs: number;
  /** By slice; the whole model last. */
  readonly usage: readonly BatchUsage[];
}

/** Of a request in JSON Lines, in bytes: a child's input of 256 KiB also has its other fields. */
export const MAX_LINE_BYTES = 150 * 1024;

/** The same with a preprocess function, whose request is in the state too. */
export const MAX_PREPROCESSED_LINE_BYTES = 90 * 1024;

export const MAX_FAILURE_CAUSES = 20;

/** Larger JSON of a postprocess function is only in the object of the result. */
export const MAX_ROW_OUTPUT_BYTES = 4096;
