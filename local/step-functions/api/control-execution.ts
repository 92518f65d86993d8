/** StopExecution and RedriveExecution. */
import type { JsonObject } from '../../json';
import type { StateMachines } from '../state-machines';
import { ApiError } from './api-error';
import { requireExecution, seconds } from './operation';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html */
export async function stopExecution(machines: StateMachines, parameters: Parameters): Promise<JsonObject> {
  const execution = requireExecution(machines, parameters);
  const error = parameters.text('error', { to: 256 });
  const cause = parameters.text('cause', { to: 32_768 });
  const time = await execution.abort({
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  });
  return { stopDate: seconds(time) };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html */
export function redriveExecution(machines: StateMachines, parameters: Parameters): JsonObject {
  const execution = requireExecution(machines, parameters);
  const token = parameters.text('clientToken', { from: 1, to: 64, pattern: /^[!-~]+$/ });
  const earlier = execution.redriveWith(token);
  if (earlier !== undefined) return { redriveDate: seconds(earlier) };
  const reason = execution.notRedrivable();
  if (reason !== undefined) throw new ApiError('ExecutionNotRedrivable', reason);
  return { redriveDate: seconds(execution.redrive(token)) };
}
