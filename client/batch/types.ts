/** What callers of `batch` pass and get. Nothing here needs the types of the AWS SDK, which an application may not have. */
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import type { TensorInputs, TypedTensor } from '../tensors/tensor-forms';

/** What `infer` takes; for a batch with a preprocess function, a JSON object that this function gets. */
export type BatchRequest = TensorInputs | Readonly<Record<string, unknown>>;

/**
 * Requests, or pairs of an id and a request, such as a `Map` has. They are read as they are sent. Without ids, the table names requests by
 * their places, and a rerun recognizes them only there. The id 7 becomes the text `7`.
 */
export type BatchRequests =
  | Iterable<BatchRequest | readonly [id: string | number, request: BatchRequest]>
  | AsyncIterable<BatchRequest | readonly [id: string | number, request: BatchRequest]>;

/** Options of `batch`. */
export interface BatchOptions {
  /**
   * ARN of the batch's state machine, in the region of the client's: `batch.stateMachine.stateMachineArn`.
   * @default - that of the client
   */
  readonly stateMachineArn?: string;
  /**
   * The prefix or the key of the items, below the location of the batch's. A batch of one list takes a
   * key, and one of lists below a prefix takes a prefix with a slash at its end.
   * @default - the location of the batch's items; with `requests`, a new key
   */
  readonly items?: string;
  /**
   * Requests to put into S3, for a batch whose items are `BatchItems.jsonLines`: one object has all of them, apart from tensors that do not
   * fit into 150 KiB. `items` is then the key of that object.
   * @default - the items are in S3
   */
  readonly requests?: BatchRequests;
  /**
   * Whether all items run, also those that have a result.
   * @default false
   */
  readonly again?: boolean;
  /**
   * Name of the execution. If one of this name and these items runs, the call attaches to it: with `requests`, pass `items` too, because
   * each new list is another one.
   * @default - a new one
   */
  readonly name?: string;
  /**
   * ARN of an execution to attach to, instead of starting one.
   * @default - a new execution
   */
  readonly executionArn?: string;
  /**
   * Ends waiting and reading with its reason. The batch goes on.
   * @default - none
   */
  readonly signal?: AbortSignal;
}

/** How far a batch is. An item that was skipped is done. */
export interface BatchProgress {
  /** Items that the batch has found so far. */
  readonly total: number;
  /** Items with a result. Until the batch has ended, those that their runs had no time for count too. */
  readonly done: number;
  /** Items that failed. */
  readonly failed: number;
  /** Items of child executions that run. */
  readonly running: number;
  /** Items that wait, or whose child executions were stopped. */
  readonly pending: number;
  /** Items that ended per second, since the first report of this iterator. */
  readonly perSecond: number;
  /** When the batch will end at this speed; absent while nothing is known. */
  readonly endsAt?: Date;
}

/** What an item's result is: tensors, or JSON of the pipeline's postprocess function. */
export interface BatchItemResult {
  /** The tensors by name; absent if the pipeline has a postprocess function. */
  readonly outputs?: Readonly<Record<string, TypedTensor>>;
  /** What the postprocess function answered. */
  readonly output?: unknown;
}

/** An item of a batch that has ended. */
export interface BatchResultRow extends BatchRow {
  /**
   * Reads the item's result.
   * @throws InferenceError with the item's failure if it has none
   */
  read(): Promise<BatchItemResult>;
}

/** A batch that runs or has ended. The signal of `client.batch` ends waiting and reading, but not the batch. */
export interface SlicedInferenceBatchRun {
  /** ARN of the execution. Pass it to `client.batch` to attach again. */
  readonly executionArn: string;
  /** What the state machine says about the batch. */
  readonly signature: BatchSignature;
  /** Yields how far the batch is after each pause, and at last when the execution has ended, whether or not it failed. */
  progress(): AsyncGenerator<BatchProgress, void, undefined>;
  /**
   * Waits until the batch has ended, and returns its account.
   * @throws InferenceError if the execution failed, exceeded its tolerated failures, was stopped or took too long
   */
  result(): Promise<BatchOutput>;
  /**
   * Waits until the batch has ended, and yields its rows in the order of the inputs. They are read as slowly as you take them. A batch
   * that has failed has rows too, unless it was stopped or has no items.
   * @throws as `result`
   */
  rows(): AsyncGenerator<BatchResultRow, void, undefined>;
  /** Stops the batch. Start it again to run the items that have no result yet. */
  stop(): Promise<void>;
}
