/** One call of the client: its wait, its execution and what it reports. */
import { ERROR_NAMES } from '../contract/failures';
import {
  isOutdated,
  mayBeOutdated,
  traceOfDeployment,
  type Deployment,
  type PipelineDescriptions,
} from './description/descriptions';
import type {
  MachineDescription,
  MachineType,
  PipelineDescription,
} from './description/pipeline-description';
import { InferenceError, InferenceTimeoutError } from './errors';
import { explainedError, explaining } from './aws/failures';
import type { CallOptions } from './options';
import { firstOf, MAX_TIMER_MS, pause, Wait } from './run/wait';
import { Backoff, type Call, type CallContext } from './run/call';
import { outputOf } from './failure-cause';
import type { CheckedOutput } from './read-results';
import { runExpress, runFunction, runStandard } from './run/run-execution';

interface Context extends CallContext {
  readonly descriptions: PipelineDescriptions;
}

const RUNS: Readonly<Record<MachineType, typeof runExpress>> = {
  EXPRESS: runExpress,
  STANDARD: runStandard,
  FUNCTION: runFunction,
};

/** For uploads and downloads, besides the longest execution. */
const TRANSFER_MS = 60_000;

/**
 * How often a call asks whether a deployment explains a failure. With the default pauses, that takes nine seconds. For a few seconds after an
 * update, Step Functions may describe the earlier definition, and start executions of it:
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
 */
const MOST_QUESTIONS = 6;

export class CallInProgress implements Call {
  static async begin(context: Context, options: CallOptions): Promise<CallInProgress> {
    const limit = options.waitTimeout ?? context.settings.waitTimeout;
    if (limit !== undefined) return new CallInProgress(context, options, limit);
    // Without a limit of the caller, the state machine has one.
    const asked = firstOf([context.descriptions.machine()], options.signal);
    const { executionSeconds = Infinity } = await explaining(asked);
    return new CallInProgress(
      context,
      options,
      Math.min(executionSeconds * 1000 + TRANSFER_MS, MAX_TIMER_MS),
    );
  }

  private readonly wait: Wait;
  private executionArn: string | undefined;
  private used: Deployment | undefined;
  private isPipeline = false;
  /** How often it has asked whether a deployment explains a failure. */
  private questions = 0;
  private readonly pauses: Backoff;
  private failure: Error | undefined;

  private constructor(
    readonly context: Context,
    readonly options: CallOptions,
    limit: number,
  ) {
    this.pauses = new Backoff(context.settings.pollInterval);
    this.wait = new Wait(options.signal, limit, () => {
      const { executionArn, failure } = this;
      const ending = failure
        ? `, and the last request failed (${failure.message}): check the connection or raise waitTimeout`
        : ': raise waitTimeout';
      return new InferenceTimeoutError(
        `the call must end within ${limit} ms, got no result${ending}`,
        executionArn,
        failure,
      );
    });
  }

  get signal(): AbortSignal {
    return this.wait.signal;
  }

  abort(reason: Error): void {
    this.wait.abort(reason);
  }

  end(): void {
    this.wait.end();
  }

  /** @throws InferenceError `InvalidInput` for a call that must be able to stop what cannot be stopped */
  async described(): Promise<PipelineDescription> {
    const description = await firstOf([this.context.descriptions.known()], this.signal);
    this.requireStoppable(description);
    return this.using(description);
  }

  async describedAgain(): Promise<PipelineDescription> {
    return this.using(await firstOf([this.context.descriptions.latest()], this.signal));
  }

  async describedFor(
    output: Pick<CheckedOutput, 'deploymentDigest' | 'results'>,
    known: PipelineDescription,
  ): Promise<PipelineDescription> {
    const { deploymentDigest, results } = output;
    const made = { deploymentDigest, bucket: results.object?.bucket };
    return await firstOf([this.context.descriptions.fitting(known, made)], this.signal);
  }

  /**
   * Prepares for another execution on the model that is deployed now.
   * @returns whether a deployment explains the failure
   */
  async restart(error: unknown): Promise<boolean> {
    if (!(await this.isExplained(error))) return false;
    this.report({ event: 'restarted' });
    this.executionArn = undefined;
    return true;
  }

  async execute(input: string): Promise<{ readonly executionArn: string; readonly output: string }> {
    const described = await firstOf([this.context.descriptions.machine()], this.signal);
    this.requireStoppable(described);
    // A call without tensors needs no more.
    this.used ??= { type: described.type };
    this.isPipeline = described.signature !== undefined;
    const end = await RUNS[described.type](this, input);
    this.report({ event: 'ended', executionArn: end.executionArn });
    return { executionArn: end.executionArn, output: outputOf(end) };
  }

  setExecution(executionArn: string | undefined): void {
    this.executionArn = executionArn;
  }

  explained(error: unknown): unknown {
    return explainedError(error, this.executionArn);
  }

  private using(description: PipelineDescription): PipelineDescription {
    this.used = description;
    return description;
  }

  private async isExplained(error: unknown): Promise<boolean> {
    const trace = traceOfDeployment(error, this.isPipeline);
    if (trace === undefined && !mayBeOutdated(error)) return false;
    // An object that the caller names may just be missing.
    const isOwnRequest =
      this.used?.signature === undefined && error instanceof Error && error.name === ERROR_NAMES.invalidInput;
    const most = trace === undefined || isOwnRequest ? 1 : MOST_QUESTIONS;
    while (this.questions < most) {
      if (await this.isReplaced(trace)) return true;
    }
    return false;
  }

  private async isReplaced(trace: string | undefined): Promise<boolean> {
    const { used, signal } = this;
    const { descriptions } = this.context;
    try {
      if (this.questions++ > 0) {
        await pause(this.pauses.next(2.25), signal);
      }
      await firstOf([descriptions.askAgain()], signal);
      const now = await descriptions.machine();
      if (trace !== undefined && !now.definition.includes(trace)) return true;
      return used !== undefined && isOutdated(used, now);
    } catch {
      this.options.signal?.throwIfAborted();
      // The failure of the call matters more.
      return false;
    }
  }

  private requireStoppable({ type }: Pick<MachineDescription, 'type'>): void {
    if (type === 'STANDARD' || this.options.stopOnAbort !== true) return;
    throw new InferenceError(
      'InvalidInput',
      `stopOnAbort must be for a Standard state machine, got ${type === 'EXPRESS' ? 'the Express one' : 'the function'} ${this.context.name}: ` +
        'leave it out, because its runs cannot be stopped',
    );
  }

  setFailure(failure: Error | undefined): void {
    if (failure === this.failure) return;
    this.failure = failure;
    this.report({
      event: failure ? 'requestFailed' : 'requestAnswered',
      ...(failure && { error: failure }),
      ...(this.executionArn !== undefined && { executionArn: this.executionArn }),
    });
  }

  report(progress: Parameters<Call['report']>[0]): void {
    const { onProgress } = this.options;
    onProgress?.({ ...progress, time: progress.time ?? Date.now() });
  }
}
