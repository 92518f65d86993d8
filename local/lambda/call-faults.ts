/** Faults of the Lambda service: of calls, and of the starts of sandboxes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../json';
import type { FaultInjector } from '../faults/injector';
import { kindsOf } from '../faults/kinds';
import { runOf } from '../faults/target';
import { StateError } from '../step-functions/state-error';
import type { TaskResult } from '../step-functions/run-options';
import { throttled } from './service-error';

/** The longest delay of a start, in milliseconds. */
const SLOWEST_START_MS = 3_000;

const OF_CALLS = kindsOf('call');
const OF_STARTS = kindsOf('start');

/**
 * Errors of Lambda and of its client in Step Functions. The names are documented; the texts are those of the API's reference and of
 * the AWS SDK for Java, which Step Functions is believed to use.
 * https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
 */
const FAILURES: readonly (() => StateError)[] = [
  () =>
    new StateError(
      'Lambda.ServiceException',
      `The AWS Lambda service encountered an internal error. (Service: AWSLambda; Status Code: 500; Error Code: ServiceException; Request ID: ${randomUUID()})`,
    ),
  () => new StateError('Lambda.SdkClientException', 'Unable to execute HTTP request: Connection reset'),
  () =>
    new StateError(
      'Lambda.AWSLambdaException',
      `Service Unavailable (Service: AWSLambda; Status Code: 503; Error Code: null; Request ID: ${randomUUID()})`,
    ),
];

const LOST_RESULT =
  'Client execution did not complete before the specified timeout configuration: the result was lost';

/** Calls a function, with at most one fault. @throws StateError of the function or of the fault */
export async function callWithFaults(
  injector: FaultInjector,
  { functionArn, payload }: { readonly functionArn: string; readonly payload: Json },
  call: () => Promise<TaskResult>,
): Promise<TaskResult> {
  if (!injector.active) return call();
  const strike = injector.strike(OF_CALLS, {
    run: runOf(JSON.stringify(payload)),
    place: nameOf(functionArn),
  });
  if (strike === undefined) return call();
  strike.record();
  switch (strike.kind) {
    case 'throttled':
      throw new StateError(
        'Lambda.TooManyRequestsException',
        throttled('ConcurrentInvocationLimitExceeded').message,
      );
    case 'failing':
      throw FAILURES[Math.floor(strike.random * FAILURES.length)]();
    case 'lost-result':
      // A function that fails has no result that could be lost, but its failure is.
      await call().catch((error: unknown) => {
        if (!(error instanceof StateError)) throw error;
      });
      throw new StateError('Lambda.ClientExecutionTimeoutException', LOST_RESULT);
    case 'duplicate-delivery': {
      const deliveries = [call(), call()];
      // The other one goes on, and nobody waits for it.
      for (const delivery of deliveries) delivery.catch(() => undefined);
      return deliveries[strike.random < 0.5 ? 0 : 1];
    }
    default:
      throw new Error(`${strike.kind} is not a fault of calls`);
  }
}

/** Delays the start of a sandbox. */
export async function startWithFaults(
  injector: FaultInjector,
  functionName: string,
  payload: string,
): Promise<void> {
  if (!injector.active) return;
  const strike = injector.strike(OF_STARTS, { run: runOf(payload), place: `start of ${functionName}` });
  if (strike === undefined) return;
  strike.record();
  await delay(strike.random * SLOWEST_START_MS);
}

/** `arn:partition:lambda:region:account:function:name[:qualifier]` */
function nameOf(functionArn: string): string {
  return functionArn.split(':')[6] ?? functionArn;
}
