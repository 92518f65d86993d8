/** Faults of the Lambda service: of calls, and of the starts of sandboxes. */
import { setTimeout as delay } from 'node:timers/promises';
import { splitFunctionArn } from '../cloudformation/resources';
import { type FaultInjector, runOf } from '../faults/injector';
import { kindsOf } from '../faults/kinds';
import { StateError } from '../step-functions/state-error';
import { serviceFailures, throttled } from './service-error';

const SLOWEST_START_MS = 3_000;

const OF_CALLS = kindsOf('call');
const OF_STARTS = kindsOf('start');

const LOST_RESULT =
  'Client execution did not complete before the specified timeout configuration: the result was lost';

/** @param payload JSON */
export async function callWithFaults<Result>(
  injector: FaultInjector,
  { functionArn, payload }: { readonly functionArn: string; readonly payload: string },
  call: () => Promise<Result>,
): Promise<Result> {
  if (!injector.active) return call();
  const { name: place } = splitFunctionArn(functionArn);
  const strike = injector.strike(OF_CALLS, { run: runOf(payload), place });
  if (strike === undefined) return call();
  strike.record();
  switch (strike.kind) {
    case 'throttled':
      throw throttled();
    case 'failing': {
      const failures = serviceFailures();
      throw failures[Math.floor(strike.random * failures.length)];
    }
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
