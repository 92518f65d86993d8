/** The state machine: one task per slice, typed retries, and failures that name their slice. JSONata throughout. */
import { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { CONTRACT_VERSION, ERROR_NAMES, sliceName } from '../../lambda/contract';
import type { SlicePlan } from '../plan/plan';

/**
 * The run: the last two segments of the execution's ARN. They are machine and name for Standard, and name and UUID
 * for Express, whose names alone may repeat.
 */
const RUN = "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') %}";

const REQUEST = '{% $states.context.Execution.Input %}';

/** Faults of the Lambda service and its queues; https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html. */
const SERVICE_FAULTS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
];

/** How a sandbox that was killed, ran out of memory or out of time shows. */
const SANDBOX_FAULTS = ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'];

/**
 * What the failed slice said, as one JSON object. Causes of sandboxes are plain text or JSON without our fields; a
 * parse of something else would itself fail the execution and hide the reason.
 */
const CAUSE = `{% (
  $isObject := function($text) { $type($text) = 'string' and $substring($text, 0, 2) = '{"' and $substring($text, -1) = '}' };
  $message := $isObject($failure.Cause) ? $parse($failure.Cause).errorMessage : $failure.Cause;
  $isObject($message) ? $message : $string({'slice': $failedSlice, 'message': $exists($message) ? $message : $failure.Error})
) %}`.replaceAll(/\n\s*/g, ' ');

export function sliceWorkflow(
  scope: Construct,
  plan: SlicePlan,
  functions: readonly lambda.IFunction[],
): sfn.IChainable {
  const failed = sfn.Fail.jsonata(scope, 'Failed', { error: '{% $failure.Error %}', cause: CAUSE });
  const states = functions.map((fn, slice) => sliceTask(scope, plan, fn, slice, failed));
  const [first, ...rest] = states;
  return rest.reduce((chain, state) => chain.next(state), sfn.Chain.start(first));
}

function sliceTask(
  scope: Construct,
  plan: SlicePlan,
  fn: lambda.IFunction,
  slice: number,
  failed: sfn.Fail,
): tasks.LambdaInvoke {
  const last = plan.slices.length - 1;
  const readsRequest = plan.slices[slice].inputs.some(({ source }) => source.from === 'request');
  const sendsRequest = slice === 0 || slice === last || readsRequest;
  const task = tasks.LambdaInvoke.jsonata(scope, stateName(slice), {
    lambdaFunction: fn,
    retryOnServiceExceptions: false,
    payload: sfn.TaskInput.fromObject({
      version: CONTRACT_VERSION,
      planDigest: plan.planDigest,
      run: RUN,
      ...(sendsRequest && { request: REQUEST }),
    }),
    ...(slice < last
      ? { assign: { [timingVariable(slice)]: '{% $states.result.Payload.timing %}' }, outputs: {} }
      : { outputs: executionOutput(plan) }),
  });
  addRetries(task);
  task.addCatch(failed, {
    errors: [sfn.Errors.ALL],
    assign: { failure: '{% $states.errorOutput %}', failedSlice: slice },
  });
  return task;
}

function addRetries(task: sfn.TaskStateBase): void {
  const jitterStrategy = sfn.JitterType.FULL;
  task.addRetry({
    errors: SERVICE_FAULTS,
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxAttempts: 6,
    maxDelay: Duration.seconds(20),
    jitterStrategy,
  });
  task.addRetry({
    errors: SANDBOX_FAULTS,
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxAttempts: 2,
    jitterStrategy,
  });
  // A second try settles whether the network was at fault. The function has thrown a corrupt file away, and what it
  // wrote it writes again under the same key.
  task.addRetry({
    errors: [ERROR_NAMES.weightsCorrupt, ERROR_NAMES.sliceFailed],
    interval: Duration.seconds(1),
    maxAttempts: 1,
    jitterStrategy,
  });
}

function executionOutput(plan: SlicePlan): Record<string, unknown> {
  const earlier = plan.slices.slice(0, -1).map((_, slice) => `$${timingVariable(slice)}`);
  return {
    version: CONTRACT_VERSION,
    planDigest: plan.planDigest,
    run: RUN,
    outputs: '{% $states.result.Payload.outputs %}',
    timings: `{% [${[...earlier, '$states.result.Payload.timing'].join(', ')}] %}`,
  };
}

function stateName(slice: number): string {
  return `Slice ${sliceName(slice).replace('slice-', '')}`;
}

function timingVariable(slice: number): string {
  return `timing${slice}`;
}
