/** ListExecutions. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
import type { JsonObject } from '../../json';
import type { StateMachines } from '../state-machines';
import { summarize } from './describe-execution';
import { ApiError, typeNotSupported } from './api-error';
import { requireMachine } from './operation';
import { page } from './paging';
import type { Parameters } from './parameters';

const STATUSES = ['SUCCEEDED', 'TIMED_OUT', 'PENDING_REDRIVE', 'ABORTED', 'FAILED', 'RUNNING'] as const;
const REDRIVE_FILTERS = ['REDRIVEN', 'NOT_REDRIVEN'] as const;

/** Lists the newest execution first. */
export function listExecutions(machines: StateMachines, parameters: Parameters): JsonObject {
  if (parameters.text('mapRunArn', { to: 2000 }) !== undefined) {
    throw new ApiError('ValidationException', 'the local cloud has no Map Runs: pass stateMachineArn');
  }
  const machine = requireMachine(machines, parameters);
  const status = parameters.choice('statusFilter', STATUSES);
  const redriven = parameters.choice('redriveFilter', REDRIVE_FILTERS);
  if (machine.resource.type !== 'STANDARD') throw typeNotSupported();
  const { items, ...next } = page(machine.executions.toReversed(), parameters, {
    idOf: ({ init }) => init.arn,
    keeps: (execution) =>
      (status === undefined || execution.status === status) &&
      (redriven === undefined || execution.redriveCount > 0 === (redriven === 'REDRIVEN')),
  });
  return { executions: items.map(summarize), ...next };
}
