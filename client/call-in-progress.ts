/** One call of the client: its wait, its execution and what it reports. */
import { isSdkError } from './aws/failures';
import type { StepFunctions } from './aws/step-functions';
import type { PipelineDescriptions } from './description/descriptions';
import type { PipelineDescription } from './description/pipeline-description';
import type { StateMachineArn } from './description/state-machine-arn';
import { InferenceError, InferenceTimeoutError } from './errors';
import { checkMilliseconds, type CallOptions, type Settings } from './options';
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
  /** @throws TypeError or InferenceError for options that do not fit the pipeline */
  static async begin(context: Context, options: CallOptions): Promise<CallInProgress> {
    checkMilliseconds('waitTimeout', options.waitTimeout);
    const limit = options.waitTimeout ?? context.settings.waitTimeout;
    if (limit !== undefined) return new CallInProgress(context, options, limit);
    // Without a limit of the caller, the state machine has one.
    const { executionSeconds = Infinity } = await firstOf([context.descriptions.machine()], options.signal);
    return new CallInProgress(
      context,
      options,
      Math.min(executionSeconds * 1000 + TRANSFER_MS, MAX_TIMER_MS),
    );
  }

  private readonly wait: Wait;
  private executionArn: string | undefined;

  private constructor(
    private readonly context: Context,
    private readonly options: CallOptions,
    limit: number,
  ) {
    this.wait = new Wait(options.signal, limit, () => {
      const message = `the call must end within ${limit} ms, got no result: raise waitTimeout`;
      return new InferenceTimeoutError(message, this.executionArn);
    });
  }

  get signal(): AbortSignal {
    return this.wait.signal;
  }

  end(): void {
    this.wait.end();
  }

  async described(): Promise<PipelineDescription> {
    return await firstOf([this.context.descriptions.known()], this.signal);
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
    const { type } = await firstOf([this.context.descriptions.machine()], this.signal);
    const { stopOnAbort = false, onProgress } = this.options;
    if (type === 'EXPRESS' && stopOnAbort) throw cannotStop();
    const { stateMachineArn, machine, stepFunctions, settings } = this.context;
    const call: Call = {
      ...{ stateMachineArn, machine, stepFunctions, stopOnAbort },
      pollInterval: settings.pollInterval,
      signal: this.signal,
      followsStates: onProgress !== undefined,
      report: (progress) => {
        this.report(progress);
      },
      setExecution: (executionArn) => {
        this.executionArn = executionArn;
      },
    };
    const end = await (type === 'EXPRESS' ? runExpress : runStandard)(call, input);
    this.report({ event: 'ended', executionArn: end.executionArn });
    return { executionArn: end.executionArn, output: outputOf(end) };
  }

  /** Adds the execution to the error of a service. */
  explained(error: unknown): unknown {
    const { executionArn } = this;
    if (error instanceof InferenceError && executionArn !== undefined) return error.inExecution(executionArn);
    if (!isSdkError(error)) return error;
    return new InferenceError(error.name, error.message, { executionArn, cause: error });
  }

  private report(progress: Parameters<Call['report']>[0]): void {
    const { onProgress } = this.options;
    onProgress?.({ ...progress, time: progress.time ?? Date.now() });
  }
}

function cannotStop(): InferenceError {
  return new InferenceError(
    'InvalidInput',
    'stopOnAbort needs a Standard state machine, got an Express one, whose executions cannot be stopped: leave the option out',
  );
}
