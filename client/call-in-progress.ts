/** One call of the client: its wait, its execution and what it reports. */
import { ERROR_NAMES } from '../contract/failures';
import type { StepFunctions } from './aws/step-functions';
import { isOutdated, mayBeOutdated, type Deployment } from './description/deployment';
import type { PipelineDescriptions } from './description/descriptions';
import type { MachineDescription, PipelineDescription } from './description/pipeline-description';
import type { StateMachineArn } from './description/state-machine-arn';
import { InferenceError, InferenceTimeoutError } from './errors';
import { explainedError, explaining } from './explained-error';
import { type CallOptions, type Settings } from './options';
import { firstOf } from './run/abort';
import type { Call } from './run/call';
import { outputOf } from './run/execution-end';
import type { CheckedOutput } from './results/check-output';
import { runExpress } from './run/run-express';
import { runStandard } from './run/run-standard';
import { MAX_TIMER_MS, Wait } from './run/wait';

interface Context {
  readonly stateMachineArn: string;
  readonly settings: Settings;
  readonly machine: StateMachineArn;
  readonly stepFunctions: StepFunctions;
  readonly descriptions: PipelineDescriptions;
}

/** For uploads and downloads, besides the longest execution. */
const TRANSFER_MS = 60_000;

export class CallInProgress {
  /** @throws InferenceError for options that do not fit the pipeline */
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
  /** Why the last request failed, if it is sent again. */
  private failure: Error | undefined;

  private constructor(
    private readonly context: Context,
    private readonly options: CallOptions,
    limit: number,
  ) {
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

  /** The description of the deployment that made the output, as far as Step Functions knows it. */
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
    const isReplaced = error instanceof InferenceError && error.name === ERROR_NAMES.planChanged;
    if (!isReplaced && !(await this.isOutdated(error))) return false;
    this.report({ event: 'restarted' });
    this.executionArn = undefined;
    if (isReplaced) await firstOf([this.context.descriptions.askAgain()], this.signal);
    return true;
  }

  /** Runs an execution to its end and returns its output, which is JSON. */
  async execute(input: string): Promise<{ readonly executionArn: string; readonly output: string }> {
    const described = await firstOf([this.context.descriptions.machine()], this.signal);
    this.requireStoppable(described);
    // A call without tensors needs no more.
    this.used ??= { type: described.type };
    const { type, hasOwnFunctions } = described;
    const { stopOnAbort = false, onProgress } = this.options;
    const { stateMachineArn, machine, stepFunctions, settings } = this.context;
    const call: Call = {
      ...{ stateMachineArn, machine, stepFunctions, stopOnAbort },
      pollInterval: settings.pollInterval,
      signal: this.signal,
      followsStates: onProgress !== undefined,
      hasOwnFunctions,
      report: (progress) => {
        this.report(progress);
      },
      setExecution: (executionArn) => {
        this.executionArn = executionArn;
      },
      setFailure: (failure) => {
        this.setFailure(failure);
      },
    };
    const end = await (type === 'EXPRESS' ? runExpress : runStandard)(call, input);
    this.report({ event: 'ended', executionArn: end.executionArn });
    return { executionArn: end.executionArn, output: outputOf(end) };
  }

  explained(error: unknown): unknown {
    return explainedError(error, this.executionArn);
  }

  private using(description: PipelineDescription): PipelineDescription {
    const { type, bucket, signature } = description;
    this.used = { type, bucket, deploymentDigest: signature.deploymentDigest };
    return description;
  }

  /** Asks Step Functions if the failure can be that of an old description. */
  private async isOutdated(error: unknown): Promise<boolean> {
    const { used, signal } = this;
    const { descriptions } = this.context;
    if (used === undefined || !mayBeOutdated(error)) return false;
    try {
      await firstOf([descriptions.askAgain()], signal);
      return isOutdated(used, await descriptions.machine());
    } catch {
      signal.throwIfAborted();
      // The failure of the call matters more.
      return false;
    }
  }

  private requireStoppable({ type }: Pick<MachineDescription, 'type'>): void {
    if (type === 'STANDARD' || this.options.stopOnAbort !== true) return;
    throw new InferenceError(
      'InvalidInput',
      `stopOnAbort must be for a Standard state machine, got the Express one ${this.context.stateMachineArn}: ` +
        'leave it out, because Express executions cannot be stopped',
    );
  }

  private setFailure(failure: Error | undefined): void {
    if (failure === this.failure) return;
    this.failure = failure;
    this.report({
      event: failure ? 'requestFailed' : 'requestAnswered',
      ...(failure && { error: failure }),
      ...(this.executionArn !== undefined && { executionArn: this.executionArn }),
    });
  }

  private report(progress: Parameters<Call['report']>[0]): void {
    const { onProgress } = this.options;
    onProgress?.({ ...progress, time: progress.time ?? Date.now() });
  }
}
