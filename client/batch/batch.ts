/** A batch that runs or has ended: its progress, its result and its rows. */
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import { BATCH_ERROR_NAMES } from '../../contract/batch-function';
import { quotedName } from '../../lambda/json-values';
import { explainedError } from '../aws/failures';
import type { Objects } from '../aws/objects';
import type { StepFunctions } from '../aws/step-functions';
import { InferenceError } from '../errors';
import { outputOf } from '../failure-cause';
import type { Settings } from '../options';
import { checkResults, readTensors } from '../read-results';
import { invocationOutput } from '../request';
import { Backoff, mayPass, repeated, type Repeating } from '../run/call';
import { isRunning, isUnknown } from '../run/run-execution';
import { pause } from '../run/wait';
import type { TypedTensor } from '../tensors/tensor-forms';
import { typedTensors } from '../tensors/from-raw';
import { checkBatchOutput } from './output';
import { countsOf, Speed, type BatchProgress } from './progress';
import { tableRows } from './table';

/** What an item's result is: tensors, or JSON of the pipeline's postprocess function. */
export type BatchItemResult =
  | { readonly outputs: Readonly<Record<string, TypedTensor>>; readonly output?: undefined }
  | { readonly output: unknown; readonly outputs?: undefined };

/** An item of a batch that has ended. */
export interface BatchResultRow extends BatchRow {
  /**
   * Reads the item's result.
   * @throws InferenceError with the item's failure if it has none
   */
  read(): Promise<BatchItemResult>;
}

export interface BatchContext extends Repeating {
  readonly context: { readonly settings: Settings };
  readonly executionArn: string;
  readonly signature: BatchSignature;
  readonly stepFunctions: StepFunctions;
  readonly objects: Objects;
}

/**
 * A batch that runs or has ended. The signal of `client.batch` ends waiting and reading, but not the batch.
 *
 * @hideconstructor
 */
export class SlicedInferenceBatchRun {
  /** How often the execution had been redriven when this program redrove it: earlier descriptions are out of date. */
  private redrives = 0;

  constructor(private readonly about: BatchContext) {}

  /** ARN of the execution. Pass it to `client.batch` to attach again. */
  get executionArn(): string {
    return this.about.executionArn;
  }

  /** What the state machine says about the batch. */
  get signature(): BatchSignature {
    return this.about.signature;
  }

  /** Yields how far the batch is after each pause, and at last when the execution has ended, whether or not it failed. */
  async *progress(): AsyncGenerator<BatchProgress, void, undefined> {
    const { stepFunctions, executionArn, signal } = this.about;
    const pauses = this.pauses();
    const speed = new Speed();
    for (;;) {
      const { status } = await this.describe('METADATA_ONLY');
      const mapRun = await this.asked(() => stepFunctions.mapRun(executionArn, signal));
      yield speed.progress(countsOf(mapRun), mapRun?.redriveDate ?? mapRun?.startDate);
      if (!isRunning({ status })) return;
      await pause(pauses.next(), signal);
    }
  }

  /**
   * Waits until the batch has ended, and returns its account.
   * @throws InferenceError if the execution failed, exceeded its tolerated failures, was stopped or took too long
   */
  async result(): Promise<BatchOutput> {
    const pauses = this.pauses();
    for (;;) {
      const end = await this.describe('ALL_DATA');
      if (!isRunning(end)) return this.outputOf(end);
      await pause(pauses.next(), this.about.signal);
    }
  }

  /**
   * Waits until the batch has ended, and yields its rows in the order of the inputs. They are read as slowly as you take them.
   * @throws as `result`
   */
  async *rows(): AsyncGenerator<BatchResultRow, void, undefined> {
    const { about } = this;
    const { table, items, deploymentDigest } = await this.result();
    if (items.total === 0) return;
    try {
      for await (const row of tableRows(table, about.objects, about.signature, about)) {
        yield { ...row, read: () => this.read(row, deploymentDigest) };
      }
    } catch (error) {
      throw explainedError(error, this.executionArn);
    }
  }

  /** Stops the batch. `redrive` continues it. */
  async stop(): Promise<void> {
    const { stepFunctions, executionArn } = this.about;
    await this.asked(() => stepFunctions.stopExecution(executionArn, 'the caller stopped the batch'));
  }

  /**
   * Repeats what failed, timed out or was stopped, in the same execution. Items that have a result are skipped.
   * @throws InferenceError `ExecutionNotRedrivable` if the batch runs, has succeeded or is too old
   */
  async redrive(): Promise<void> {
    const { stepFunctions, executionArn, signal } = this.about;
    const { redriveCount = 0 } = await this.describe('METADATA_ONLY');
    await this.asked(() => stepFunctions.redriveExecution(executionArn, signal), false);
    this.redrives = redriveCount + 1;
  }

  /** DescribeExecution is eventually consistent: it may not know what has just started, or describe the end before a redrive. */
  private async describe(data: 'ALL_DATA' | 'METADATA_ONLY'): Promise<DescribeExecutionOutput> {
    const { stepFunctions, executionArn, signal } = this.about;
    const look = () => stepFunctions.describeExecution(executionArn, data, signal);
    const described = await this.asked(look);
    return (described.redriveCount ?? 0) < this.redrives ? { ...described, status: 'RUNNING' } : described;
  }

  private async asked<T>(send: () => Promise<T>, mayRepeat = true): Promise<T> {
    try {
      return await repeated(this.about, send, (error) => mayRepeat && (mayPass(error) || isUnknown(error)));
    } catch (error) {
      throw explainedError(error, this.executionArn);
    }
  }

  private outputOf(end: DescribeExecutionOutput): BatchOutput {
    const { executionArn, signature } = this.about;
    try {
      return checkBatchOutput(outputOf({ ...end, executionArn, status: end.status }), signature);
    } catch (error) {
      throw end.status === 'SUCCEEDED'
        ? explainedError(error, executionArn)
        : failed({ ...end, executionArn }, error);
    }
  }

  private async read(row: BatchRow, deploymentDigest: string): Promise<BatchItemResult> {
    const { signature, objects, signal, executionArn } = this.about;
    const { failure, result: key = '', item, output } = row;
    if (failure !== undefined) {
      const message = `the item ${quotedName(item)} failed: ${failure.message}`;
      throw new InferenceError(failure.error, message, { executionArn });
    }
    if (output !== undefined) return { output };
    const object = { bucket: signature.bucket, key };
    try {
      if (key.endsWith('.json')) {
        const bytes = await repeated(this.about, () => objects.get(object, signal));
        return { output: invocationOutput(Buffer.from(bytes).toString('utf8')) };
      }
      const tensors = await repeated(this.about, () => readTensors(object, objects, signal));
      if (signature.deploymentDigest === deploymentDigest) checkResults(signature, tensors);
      return { outputs: typedTensors(tensors) };
    } catch (error) {
      throw explainedError(error, executionArn);
    }
  }

  private pauses(): Backoff {
    return new Backoff(this.about.context.settings.pollInterval);
  }
}

const OWN_ERRORS: readonly string[] = Object.values(BATCH_ERROR_NAMES);

/** Of Step Functions, when more items failed than the batch tolerates. */
const TOO_MANY_FAILURES = 'States.ExceedToleratedFailureThreshold';

function failed({ status, redriveStatus, executionArn }: DescribeExecutionOutput, error: unknown): unknown {
  if (!(error instanceof InferenceError)) return error;
  const { name, message, slice, cause } = error;
  // The batch's own function says what to do.
  if (OWN_ERRORS.includes(name)) return error;
  const what: Readonly<Record<string, string>> = {
    TIMED_OUT: 'end before its deadline, got none in time',
    ABORTED: 'run to its end, got stopped',
  };
  const got =
    name === TOO_MANY_FAILURES
      ? `have at most its tolerated failures, got more (${message})`
      : (what[status ?? ''] ?? `succeed, got ${message}`);
  const again = 'start it again: what has a result is skipped';
  const advice =
    redriveStatus === 'NOT_REDRIVABLE' ? again : `redrive it to repeat what has no result, or ${again}`;
  return new InferenceError(name, `the batch must ${got}: ${advice}`, { slice, cause, executionArn });
}
