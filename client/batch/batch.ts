/** A batch that runs or has ended: its progress, its result and its rows. */
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import { BATCH_ERROR_NAMES, TABLES_FOLDER } from '../../contract/batch-function';
import type { ObjectReference } from '../../contract/execution';
import { quotedName } from '../../lambda/json-values';
import { explainedError } from '../aws/failures';
import { BrokenBodyError, type Objects } from '../aws/objects';
import type { StepFunctions } from '../aws/step-functions';
import { InferenceError } from '../errors';
import { outputOf } from '../failure-cause';
import type { Settings } from '../options';
import { readTensors } from '../read-results';
import { invocationOutput } from '../request';
import { Backoff, mayPass, repeated, type Repeating } from '../run/call';
import { isRunning, isUnknown } from '../run/run-execution';
import { pause } from '../run/wait';
import { typedTensors } from '../tensors/from-raw';
import { checkBatchOutput } from './output';
import { countsOf, progressSince } from './progress';
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
  constructor(private readonly about: BatchContext) {}

  get executionArn(): string {
    return this.about.executionArn;
  }

  get signature(): BatchSignature {
    return this.about.signature;
  }

  async *progress(): AsyncGenerator<BatchProgress, void, undefined> {
    const { stepFunctions, executionArn, signal } = this.about;
    const pauses = this.pauses();
    for (let first; ;) {
      const execution = await this.describe();
      const mapRun = await this.asked(() => stepFunctions.mapRun(executionArn, signal));
      const counts = countsOf(mapRun);
      first ??= { at: performance.now(), counts };
      yield progressSince(first, counts);
      if (!isRunning(execution)) return;
      await pause(pauses.next(), signal);
    }
  }

  async result(): Promise<BatchOutput> {
    const { executionArn, signal } = this.about;
    const pauses = this.pauses();
    let execution = await this.describe();
    for (; isRunning(execution); execution = await this.describe()) await pause(pauses.next(), signal);
    const { status, output, error, cause } = execution;
    try {
      return checkBatchOutput(outputOf({ executionArn, status, output, error, cause }), this.table);
    } catch (failure) {
      throw status === 'SUCCEEDED' ? explainedError(failure, executionArn) : advised(failure, execution);
    }
  }

  async *rows(): AsyncGenerator<BatchResultRow, void, undefined> {
    try {
      await this.result();
    } catch (error) {
      if (!hasTable(error)) throw error;
    }
    const { objects, signature, signal } = this.about;
    const read = (range: PartRange) => this.asked(() => objects.part(this.table, range, signal));
    for await (const row of tableRows(read, signature)) yield { ...row, read: () => this.read(row) };
  }

  async stop(): Promise<void> {
    const { stepFunctions, executionArn } = this.about;
    await this.asked(() => stepFunctions.stopExecution(executionArn, 'the caller stopped the batch'));
  }

  /** @internal The object of a row's result. */
  async resultBytes(key: string): Promise<Uint8Array> {
    const { objects, signature, signal } = this.about;
    return await this.asked(() => objects.get({ bucket: signature.bucket, key }, signal));
  }

  /** The batch's function writes it here, also before it fails with `TooManyFailures`. */
  private get table(): ObjectReference {
    const { bucket, resultsPrefix } = this.signature;
    const name = this.executionArn.split(':').at(-1) ?? '';
    return { bucket, key: `${resultsPrefix}${TABLES_FOLDER}${name}.jsonl` };
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

  private async read({ item, failure, result: key = '', output }: BatchRow): Promise<BatchItemResult> {
    const { executionArn } = this;
    if (failure !== undefined) {
      const message = `the item ${quotedName(item)} failed: ${failure.message}`;
      throw new InferenceError(failure.error, message, { executionArn });
    }
    if (output !== undefined) return { output };
    if (key.endsWith('.json')) {
      return { output: invocationOutput(Buffer.from(await this.resultBytes(key)).toString('utf8')) };
    }
    const { objects, signature, signal } = this.about;
    const object = { bucket: signature.bucket, key };
    return { outputs: typedTensors(await this.asked(() => readTensors(object, objects, signal))) };
  }
}

/** What the command line uses. */
export type FollowedBatch = Pick<BatchRun, keyof BatchRun>;

/** DescribeExecution is eventually consistent: it may not know what has just started. */
function maySendAgain(error: unknown): boolean {
  return mayPass(error) || isUnknown(error) || error instanceof BrokenBodyError;
}

/** Whether a batch that failed has a table all the same. */
export function hasTable(error: unknown): boolean {
  return error instanceof InferenceError && error.name === BATCH_ERROR_NAMES.tooManyFailures;
}

const OWN_ERRORS: readonly string[] = Object.values(BATCH_ERROR_NAMES);

/** Says what to do. The errors of the batch's own function do so themselves. */
function advised(error: unknown, { status }: DescribeExecutionOutput): unknown {
  if (!(error instanceof InferenceError) || OWN_ERRORS.includes(error.name)) return error;
  const { name, message, slice, cause, executionArn } = error;
  const ends: Readonly<Record<string, string>> = { TIMED_OUT: 'no end in time', ABORTED: 'stopped' };
  const got = ends[status ?? ''] ?? message;
  const text = `the batch must succeed, got ${got}: start it again: what has a result is skipped`;
  return new InferenceError(name, text, { slice, cause, executionArn });
}
