/** One call of the client: its wait, its execution and what it reports. */
import type { StepFunctions } from './aws/step-functions';
import type { PipelineDescriptions } from './description/descriptions';
import type { MachineDescription, PipelineDescription } from './description/pipeline-description';
import type { StateMachineArn } from './description/state-machine-arn';
import { InferenceError, InferenceTimeoutError } from './errors';
import { explainedError, explaining } from './explained-error';
import { type CallOptions, type Settings } from './options';
import { firstOf } from './run/abort';
import type { Call } from './run/call';
import { outputOf } from './run/execution-end';
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

  end(): void {
    this.wait.end();
  }

  /** @throws InferenceError `InvalidInput` for a call that must be able to stop what cannot be stopped */
  async described(): Promise<PipelineDescription> {
    const description = await firstOf([this.context.descriptions.known()], this.signal);
    this.requireStoppable(description);
    return description;
  }

  async describedAgain(): Promise<PipelineDescription> {
    return await firstOf([this.context.descriptions.latest()], this.signal);
  }

  /** Prepares for another execution on the model that is deployed now. */
  async restart(): Promise<void> {
    this.report({ event: 'restarted' });
    this.executionArn = undefined;
    await firstOf([this.context.descriptions.askAgain()], this.signal);
  }

  /** Runs an execution to its end and returns its output, which is JSON. */
  async execute(input: string): Promise<{ readonly executionArn: string; readonly output: string }> {
    const described = await firstOf([this.context.descriptions.machine()], this.signal);
    this.requireStoppable(described);
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
