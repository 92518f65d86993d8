/** A batch that runs or has ended: its progress, its result and its rows. */
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import { BATCH_ERROR_NAMES, FAILURES_FOLDER, TABLES_FOLDER } from '../../contract/batch-function';
import type { ObjectReference } from '../../contract/execution';
import { quotedName } from '../../lambda/json-values';
import { explainedError } from '../aws/failures';
import { BrokenBodyError, type Objects } from '../aws/objects';
import type { StepFunctions } from '../aws/step-functions';
import { InferenceError } from '../errors';
import { outputOf } from '../failure-cause';
import type { Settings } from '../options';
import { Backoff, mayPass, repeated, type Repeating } from '../run/call';
import { isRunning, isUnknown } from '../run/run-execution';
import { pause } from '../run/wait';
import { typedTensors } from '../tensors/from-raw';
import { checkBatchOutput } from './output';
import { countsAtEnd, countsOf, type ItemCounts, progressSince } from './progress';
import { type ItemResult, ResultReader } from './results';
import { tableRows, type PartRange } from './table';
import type { BatchItemResult, BatchProgress, BatchResultRow, SlicedInferenceBatchRun } from './types';

export interface BatchContext extends Repeating {
  readonly context: { readonly settings: Settings };
  readonly executionArn: string;
  readonly signature: BatchSignature;
  readonly stepFunctions: StepFunctions;
  readonly objects: Objects;
}

export class BatchRun implements SlicedInferenceBatchRun {
  private readonly results: ResultReader;

  constructor(private readonly about: BatchContext) {
    const { objects, signature, signal } = about;
    this.results = new ResultReader(objects, signature, signal, (send) => this.asked(send));
  }

  get executionArn(): string {
    return this.about.executionArn;
  }

  get signature(): BatchSignature {
    return this.about.signature;
  }

  async *progress(): AsyncGenerator<BatchProgress, void, undefined> {
    const pauses = this.pauses();
    for (let first; ;) {
      const execution = await this.describe();
      const isEnded = !isRunning(execution);
      const counts = isEnded ? await this.countsAtEnd(execution) : await this.countsOfChildren();
      first ??= { at: performance.now(), counts };
      yield progressSince(first, counts);
      if (isEnded) return;
      await pause(pauses.next(), this.about.signal);
    }
  }

  async result(): Promise<BatchOutput> {
    return this.checkedOutput(await this.ended());
  }

  async *rows(): AsyncGenerator<BatchResultRow, void, undefined> {
    const { objects, signature, signal } = this.about;
    const read = (range: PartRange) => this.asked(() => objects.part(this.table, range, signal));
    const execution = await this.ended();
    let failure: unknown;
    try {
      this.checkedOutput(execution);
    } catch (error) {
      if (!(error instanceof InferenceError) || !hasTable(error, execution)) throw error;
      failure = error;
    }
    const rows = tableRows(read, signature);
    const first = await rows.next().catch((error: unknown) => {
      signal.throwIfAborted();
      throw failure ?? error;
    });
    if (first.done) return;
    yield this.withRead(first.value);
    for await (const row of rows) yield this.withRead(row);
  }

  private async ended(): Promise<DescribeExecutionOutput> {
    const pauses = this.pauses();
    for (;;) {
      const execution = await this.describe();
      if (!isRunning(execution)) return execution;
      await pause(pauses.next(), this.about.signal);
    }
  }

  private checkedOutput(execution: DescribeExecutionOutput): BatchOutput {
    const { executionArn } = this;
    const { status, output, error, cause } = execution;
    try {
      return checkBatchOutput(outputOf({ executionArn, status, output, error, cause }), this.table);
    } catch (failure) {
      throw status === 'SUCCEEDED' ? explainedError(failure, executionArn) : advised(failure, execution);
    }
  }

  private async countsOfChildren(): Promise<ItemCounts> {
    const { stepFunctions, executionArn, objects, signature, signal } = this.about;
    const mapRun = await this.asked(() => stepFunctions.mapRun(executionArn, signal));
    const key = `${signature.resultsPrefix}${FAILURES_FOLDER}${this.name}/`;
    const failed = await this.asked(async () => {
      let items = 0;
      // The names of the objects with the failures end with their numbers.
      for await (const name of objects.keys({ bucket: signature.bucket, key }, signal))
        items += Number(/-(\d+)\.json$/.exec(name)?.[1] ?? 0);
      return items;
    });
    return countsOf(mapRun, failed);
  }

  private async countsAtEnd(execution: DescribeExecutionOutput): Promise<ItemCounts> {
    try {
      if (execution.status === 'SUCCEEDED') return countsAtEnd(this.checkedOutput(execution).items);
      const items = { total: 0, done: 0, skipped: 0, failed: 0, pending: 0 };
      for await (const { status } of this.rows()) {
        items.total++;
        items[status]++;
      }
      return countsAtEnd(items);
    } catch {
      this.about.signal.throwIfAborted();
      // Progress ends without an error. `result` and `rows` say what is wrong.
      return await this.countsOfChildren();
    }
  }

  async stop(): Promise<void> {
    const { stepFunctions, executionArn } = this.about;
    await this.asked(() => stepFunctions.stopExecution(executionArn, 'the caller stopped the batch'));
  }

  /** @internal The result of a row that has one. */
  async resultOf({ result = { key: '', entry: 0 } }: BatchRow): Promise<ItemResult> {
    return await this.results.read(result);
  }

  private get name(): string {
    return this.executionArn.split(':').at(-1) ?? '';
  }

  /** The batch's function writes it here, also before it fails with `TooManyFailures`. */
  private get table(): ObjectReference {
    const { bucket, resultsPrefix } = this.signature;
    return { bucket, key: `${resultsPrefix}${TABLES_FOLDER}${this.name}.jsonl` };
  }

  private pauses(): Backoff {
    return new Backoff(this.about.context.settings.pollInterval);
  }

  /** @internal */
  async describe(): Promise<DescribeExecutionOutput> {
    const { stepFunctions, executionArn, signal } = this.about;
    return await this.asked(() => stepFunctions.describeExecution(executionArn, 'ALL_DATA', signal));
  }

  private async asked<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await repeated(this.about, send, maySendAgain);
    } catch (error) {
      throw explainedError(error, this.executionArn);
    }
  }

  private withRead(row: BatchRow): BatchResultRow {
    return { ...row, read: () => this.read(row) };
  }

  private async read(row: BatchRow): Promise<BatchItemResult> {
    const { executionArn } = this;
    const { item, status, failure, output } = row;
    if (failure !== undefined) {
      const message = `the item ${quotedName(item)} failed: ${failure.message}`;
      throw new InferenceError(failure.error, message, { executionArn });
    }
    if (status === 'pending') {
      const message = `the item ${quotedName(item)} must have a result, got none, because it did not run: start the batch again`;
      throw new InferenceError(BATCH_ERROR_NAMES.itemsPending, message, { executionArn });
    }
    if (output !== undefined) return { output };
    const result = await this.resultOf(row);
    return 'output' in result ? result : { outputs: typedTensors(result.tensors) };
  }
}

/** What the command line uses. */
export type FollowedBatch = Pick<BatchRun, keyof BatchRun>;

/** DescribeExecution is eventually consistent: it may not know what has just started. */
function maySendAgain(error: unknown): boolean {
  return mayPass(error) || isUnknown(error) || error instanceof BrokenBodyError;
}

/** Whether a batch that has ended with this error may have a table: not if it was stopped or took too long, or has no items. */
export function hasTable({ name }: InferenceError, { status }: { readonly status?: string }): boolean {
  return status === 'FAILED' && name !== BATCH_ERROR_NAMES.noItems;
}

const OWN_ADVICE = /start (?:the batch again|several batches)/;

/** Says what to do. The errors of the batch's own function do so themselves. */
function advised(error: unknown, { status }: DescribeExecutionOutput): unknown {
  if (!(error instanceof InferenceError) || OWN_ADVICE.test(error.message)) return error;
  const { name, message, slice, cause, executionArn } = error;
  const ends: Readonly<Record<string, string>> = { TIMED_OUT: 'no end in time', ABORTED: 'stopped' };
  const got = ends[status ?? ''] ?? message;
  const text = `the batch must succeed, got ${got}: start it again: what has a result is skipped`;
  return new InferenceError(name, text, { slice, cause, executionArn });
}
