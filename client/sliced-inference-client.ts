/** The client of a deployed pipeline. */
import type { RawTensor } from '../lambda/tensors/tensor';
import { s3Connection, Objects, type S3Connection } from './aws/objects';
import { MAX_CALL_BYTES } from '../contract/direct-call';
import { Functions, isFunctionArn, parseFunctionName } from './aws/functions';
import { StepFunctions } from './aws/step-functions';
import { beginBatch } from './batch/begin';
import type { BatchOptions, SlicedInferenceBatchRun } from './batch/types';
import { CallInProgress } from './call-in-progress';
import { checkedTensors, invocationText, invocationOutput, prepareRequest } from './request';
import type { CallContext } from './run/call';
import { describeFunction } from './run/call-again';
import { PipelineDescriptions, parseStateMachineArn } from './description/descriptions';
import { MAX_EXECUTION_DATA_BYTES, type PipelineDescription } from './description/pipeline-description';
import { explaining } from './aws/failures';
import {
  checkMilliseconds,
  checkedSettings,
  inlineMode,
  type CallOptions,
  type InferOptions,
  type Settings,
  type SlicedInferenceClientOptions,
} from './options';
import type { InferenceResult, InvocationResult } from './result';
import {
  checkOutput,
  processorsOf,
  requireBucket,
  requireRun,
  type CheckedOutput,
  readResults,
} from './read-results';
import type { TensorInputs } from './tensors/tensor-forms';
import { sharedController } from './run/wait';
import { typedTensors } from './tensors/from-raw';

/** The description is new, so it is that of another deployment than the execution's. */
const OTHER_BUCKET =
  'call again when no deployment is under way, and use the ARN of the state machine itself if this one names an older version';

/**
 * Calls a deployed pipeline or function. It needs the ARN of the state machine, or the name of the function, and the permissions of
 * `grantInvoke`.
 *
 * ```ts
 * const model = new SlicedInferenceClient({ stateMachineArn });
 * const { outputs } = await model.infer({ x: { shape: [1, 3], data: new Float32Array([1, 2, 3]) } });
 * ```
 */
export class SlicedInferenceClient {
  private readonly settings: Settings;
  private readonly target: Target;
  private readonly stepFunctions: StepFunctions;
  private readonly s3: S3Connection;
  private readonly objects: Objects;
  private readonly descriptions: PipelineDescriptions;
  /** Ends the waits of batches. */
  private closing = sharedController();
  /** Those that have not ended, and their results. */
  private readonly calls = new Map<CallInProgress, Promise<unknown>>();

  /**
   * Sends no request yet.
   * @throws TypeError for an option of the wrong kind
   */
  constructor(options: SlicedInferenceClientOptions) {
    this.settings = checkedSettings(options);
    const { requestTimeout, maxResultBytes } = this.settings;
    this.target = targetOf(options, requestTimeout);
    const { name, region, describedArn, functions } = this.target;
    this.stepFunctions = new StepFunctions(options.stepFunctions, region, requestTimeout);
    this.s3 = s3Connection(options.s3, region);
    this.objects = new Objects(this.s3, requestTimeout, maxResultBytes);
    this.descriptions = new PipelineDescriptions(name, (signal) =>
      functions === undefined
        ? this.stepFunctions.describeStateMachine(describedArn, signal)
        : describeFunction(functions, this.settings, signal),
    );
  }

  /**
   * Returns the pipeline's signature, bucket and limits, which its state machine states. Asks Step Functions each time; calls use what
   * the last of them has returned.
   * @throws InferenceError `NotAPipeline` if the ARN is that of another state machine, or the error of AWS that refused the request
   * @throws InferenceTimeoutError if there is no answer within `requestTimeout`
   */
  async describe(): Promise<PipelineDescription> {
    return await explaining(this.descriptions.latest());
  }

  /**
   * Runs the pipeline on tensors and returns its results. Small requests and results travel inside the execution's input and output, others
   * through S3. Starts the execution again if a deployment replaced the model during the run.
   * @param inputs the model's inputs by name
   * @throws InferenceError if the inputs do not fit or the execution fails
   * @throws InferenceTimeoutError if the wait is too long; the reason of `options.signal` if that is aborted
   */
  async infer(inputs: TensorInputs, options: InferOptions = {}): Promise<InferenceResult> {
    return (await this.inferWithOutput(inputs, options)).result;
  }

  /** @internal As `infer`, and also returns the execution's output as JSON. */
  async inferWithOutput(
    inputs: TensorInputs,
    options: InferOptions,
  ): Promise<{ readonly result: InferenceResult; readonly output: string }> {
    checkMilliseconds('waitTimeout', options.waitTimeout);
    const inline = inlineMode(options.results);
    return await this.run(options, async (call) => {
      const { tensors, description } = await this.checkedTensors(call, inputs);
      const { requestBytes } = description.limits;
      const { request, upload } = prepareRequest(tensors, inline, 'auto', requestBytes);
      // If the execution cannot start, the object stays until the bucket's lifecycle rule removes it.
      if (upload) {
        const { bucket } = description;
        await this.objects.put({ bucket, key: upload.key }, upload.bytes, call.signal);
      }
      const { executionArn, output: outputText } = await call.execute(JSON.stringify(request));
      const output = checkOutput(outputText);
      requireRun(output, executionArn);
      const { bucket, signature } = await call.describedFor(output, description);
      requireBucket(output, bucket, OTHER_BUCKET);
      const results = await readResults(output, signature, this.objects, call.signal);
      return { result: resultOf(executionArn, output, results), output: outputText };
    });
  }

  /**
   * Runs a pipeline with functions before or after the slices, or your own state machine that contains pipelines.
   * @param input any JSON value, of at most 256 KiB as JSON
   * @throws as `infer`
   */
  async invoke(input: unknown, options: CallOptions = {}): Promise<InvocationResult> {
    checkMilliseconds('waitTimeout', options.waitTimeout);
    const text = invocationText(input, this.target.functions ? MAX_CALL_BYTES : MAX_EXECUTION_DATA_BYTES);
    return await this.run(options, async (call) => {
      const { executionArn, output } = await call.execute(text);
      return { output: invocationOutput(output), executionArn };
    });
  }

  /**
   * Starts a batch of a `SlicedInferenceBatch`, or attaches to one. The client may have the ARN of the batch itself, or of any other state
   * machine of its region. Needs the permissions of `batch.grantStart`.
   *
   * ```ts
   * const batch = await model.batch({ stateMachineArn, items: 'inputs/docs/2026-11/' });
   * for await (const { done, total } of batch.progress()) console.log(`${done} of ${total}`);
   * for await (const row of batch.rows()) console.log(row.item, row.status);
   * ```
   *
   * @throws InferenceError `NotABatch` if the ARN is that of another state machine, `InvalidInput` for items elsewhere, or the error of AWS
   * that refused the request; TypeError for an option of the wrong kind
   */
  async batch(options: BatchOptions = {}): Promise<SlicedInferenceBatchRun> {
    const { settings, target, stepFunctions, objects, closing } = this;
    const signal = options.signal ? AbortSignal.any([closing.signal, options.signal]) : closing.signal;
    const client = { context: { settings }, stepFunctions, objects, signal, setFailure: () => undefined };
    return await beginBatch(client, { arn: target.name, region: target.region }, options);
  }

  /**
   * Closes the connections of the clients that this client has made. The application's own stay open. Call it when all calls have ended: others
   * are rejected, as if their signal had been aborted. A later call opens new connections.
   */
  async close(): Promise<void> {
    const message = 'the client must stay open during a call, got close(): call it when all calls have ended';
    const reason = new Error(message);
    this.descriptions.close(reason);
    this.closing.abort(reason);
    this.closing = sharedController();
    // Without connections, the SDK would send the requests of these calls again.
    for (const call of this.calls.keys()) call.abort(reason);
    await Promise.allSettled(this.calls.values());
    await Promise.all([this.stepFunctions.close(), this.s3.close(), this.target.functions?.close()]);
  }

  private async run<T>(options: CallOptions, work: (call: CallInProgress) => Promise<T>): Promise<T> {
    const { settings, target, stepFunctions, descriptions } = this;
    const context = { ...target, settings, stepFunctions, descriptions };
    const call = await CallInProgress.begin(context, options);
    const result = this.finish(call, work);
    this.calls.set(call, result);
    try {
      return await result;
    } finally {
      this.calls.delete(call);
    }
  }

  private async finish<T>(call: CallInProgress, work: (call: CallInProgress) => Promise<T>): Promise<T> {
    try {
      for (;;) {
        try {
          return await work(call);
        } catch (error) {
          if (!(await call.restart(error))) throw error;
        }
      }
    } catch (error) {
      throw call.explained(error);
    } finally {
      call.end();
    }
  }

  private async checkedTensors(call: CallInProgress, inputs: TensorInputs) {
    const description = await call.described();
    try {
      return checkedTensors(description, inputs);
    } catch (error) {
      // A deployment may have changed the inputs since the client asked.
      const latest = await call.describedAgain();
      if (latest.signature.deploymentDigest === description.signature.deploymentDigest) throw error;
      return checkedTensors(latest, inputs);
    }
  }
}

interface Target extends Pick<CallContext, 'name' | 'executionArn' | 'functions'> {
  readonly region: string | undefined;
  /** Of a state machine. */
  readonly describedArn: string;
}

/** @throws TypeError unless the options name either a state machine or a function */
function targetOf(options: SlicedInferenceClientOptions, requestTimeout: number): Target {
  const { stateMachineArn, lambda } = options;
  const isFunction = typeof stateMachineArn === 'string' && isFunctionArn(stateMachineArn);
  const functionName = isFunction ? stateMachineArn : options.functionName;
  if (functionName === undefined) {
    const machine = parseStateMachineArn(stateMachineArn);
    const { given: name, region, describedArn } = machine;
    const executionArn = (execution: string): string => machine.executionArn(execution);
    return { ...{ name, region, describedArn, executionArn }, functions: undefined };
  }
  if (stateMachineArn !== undefined && options.functionName !== undefined)
    throw new TypeError(
      'option functionName cannot be combined with stateMachineArn, got both: leave one out',
    );
  const name = parseFunctionName(functionName);
  const functions = new Functions(lambda, name, requestTimeout);
  const executionArn = (run: string): string => `${name.unqualified}:${run}`;
  return { name: functionName, region: name.region, describedArn: functionName, executionArn, functions };
}

function resultOf(
  executionArn: string,
  { run, timings, servedBy, deploymentDigest, results: { object: resultsObject } }: CheckedOutput,
  outputs: ReadonlyMap<string, RawTensor>,
): InferenceResult {
  return {
    ...{ outputs: typedTensors(outputs), executionArn, run, timings, deploymentDigest },
    processors: processorsOf(timings),
    ...(resultsObject && { resultsObject }),
    ...(servedBy !== undefined && { servedBy }),
  };
}
