/**
 * Calls of a whole model's function without a state machine. The event is a request of the pipeline's contract. The answer is the output of an
 * execution. Inside, the call is that of the only slice.
 */
import type { DescribeAnswer, StepCall } from '../contract/direct-call';
import type { ExecutionOutput } from '../contract/execution';
import type { SliceAnswer, SliceEvent } from '../contract/slice-event';
import { CONTRACT_VERSION } from '../contract/version';
import type { SliceManifest } from '../contract/slice-manifest';
import { invalidInput, sliceFailed } from './errors';
import { fieldValue, isRecord } from './json-values';
import type { SliceEnvironment } from './slice/environment';

/**
 * State machines name the deployment in their events, and call a version. Callers may invoke the alias alone, so whatever they send is a request: they
 * cannot go past the user's functions, or choose where results are.
 */
export function isDirectCall(
  event: unknown,
  { takesCalls }: SliceEnvironment,
  invokedFunctionArn = '',
): boolean {
  const isOfMachine = isRecord(event) && 'deploymentDigest' in event && /:\d+$/.test(invokedFunctionArn);
  return takesCalls && !isOfMachine;
}

/**
 * The event of the only slice, but for its request.
 * @param callId the same for each attempt at an asynchronous call, so that a second attempt finds the results of the first one
 */
export function eventOfCall(
  { deploymentDigest, functionName }: SliceEnvironment,
  callId: string,
): SliceEvent {
  return { version: CONTRACT_VERSION, deploymentDigest, run: `${functionName}/${callId}` };
}

export function answerOfCall(
  { run, deploymentDigest }: SliceEvent,
  { outputs, timing }: SliceAnswer,
): ExecutionOutput {
  if (outputs === undefined)
    throw sliceFailed(
      'the function must have the whole model, got one of its slices: deploy the stack again',
    );
  return { version: CONTRACT_VERSION, deploymentDigest, run, outputs, timings: [timing] };
}

/** @throws NamedFailure `InvalidInput` for another version of the question */
export function asksForSignature(event: unknown): boolean {
  if (!isRecord(event) || event.describe !== true) return false;
  if (event.version === CONTRACT_VERSION) return true;
  throw invalidInput(`'version' must be ${CONTRACT_VERSION}, got ${fieldValue(event.version)}`);
}

export function describeAnswer(
  { request, result = [] }: SliceManifest,
  { bucket, deploymentDigest, threads, handlers: { preprocess, postprocess } }: SliceEnvironment,
): DescribeAnswer {
  const inputs = request.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const outputs = result.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  return {
    signature: {
      ...{ version: CONTRACT_VERSION, deploymentDigest, threads, bucket, inputs, outputs },
      ...(preprocess && { preprocess: true }),
      ...(postprocess && { postprocess: true }),
    },
  };
}

/** What `checkEvent` does not check. */
export function isStepCall(event: unknown): event is StepCall {
  return isRecord(event) && (event.step === 'preprocess' || event.step === 'postprocess');
}
