/** Runs an Express execution: one request that is answered when the execution has ended. */
import { randomUUID } from 'node:crypto';
import { isThrottled } from '../aws/failures';
import { Backoff } from './backoff';
import type { Call } from './call';
import type { ExecutionEnd } from './execution-end';
import { pause } from './wait';

export async function runExpress(call: Call, input: string): Promise<ExecutionEnd> {
  const { stepFunctions, stateMachineArn, signal } = call;
  const backoff = new Backoff(call.pollInterval);
  call.report({ event: 'started' });
  for (;;) {
    try {
      const name = randomUUID();
      const end = await stepFunctions.startSyncExecution({ stateMachineArn, name, input }, signal);
      const { executionArn = '', status, output, error, cause } = end;
      call.setExecution(executionArn);
      return { executionArn, status, output, error, cause };
    } catch (error) {
      // Nothing was started. After any other error, the execution may run.
      if (!isThrottled(error)) throw error;
      await pause(backoff.next(), signal);
    }
  }
}
