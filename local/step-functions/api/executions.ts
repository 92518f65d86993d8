/** The operations on executions: describe, list, stop and redrive them, and read their histories. */
import { entriesOf, type JsonObject } from '../../json';
import type { HistoryEvent } from '../history';
import type { MachineExecution } from '../machine-execution';
import type { StateMachines } from '../state-machines';
import { ApiError, typeNotSupported } from './api-error';
import { page, requireExecution, requireMachine, seconds } from './operation';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
export function describeExecution(machines: StateMachines, parameters: Parameters): JsonObject {
  const execution = requireExecution(machines, parameters);
  const included = parameters.includesData();
  const reason = execution.notRedrivable();
  return {
    ...summarize(execution),
    ...describeInput(execution, included),
    ...describeOutcome(execution, included),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    redriveStatusReason: reason,
  };
}

/** What ListExecutions returns of an execution. */
export function summarize({ init, end, status, startTime, redriveCount, redriveTime }: MachineExecution) {
  return {
    executionArn: init.arn,
    stateMachineArn: init.resource.arn,
    name: init.name,
    status,
    startDate: seconds(startTime),
    stopDate: end && seconds(end.time),
    redriveCount,
    redriveDate: redriveTime === undefined ? undefined : seconds(redriveTime),
  };
}

/** @param included whether the caller wants the data itself */
export function describeInput({ init }: MachineExecution, included: boolean): JsonObject {
  const { inputText, traceHeader } = init;
  return { ...(included && { input: inputText }), inputDetails: { included }, traceHeader };
}

/** Nothing but the status while the execution runs. A Standard execution that timed out has no error on AWS. */
export function describeOutcome({ init, end, status }: MachineExecution, included: boolean): JsonObject {
  if (end === undefined) return { status };
  const stopDate = seconds(end.time);
  if (end.status === 'SUCCEEDED') {
    const output = included && { output: JSON.stringify(end.output) };
    return { status, stopDate, ...output, outputDetails: { included } };
  }
  const silent = end.status === 'TIMED_OUT' && init.resource.type === 'STANDARD';
  if (silent || !included) return { status, stopDate };
  return { status, stopDate, error: end.error, cause: end.cause };
}

const STATUSES = ['SUCCEEDED', 'TIMED_OUT', 'PENDING_REDRIVE', 'ABORTED', 'FAILED', 'RUNNING'] as const;
const REDRIVE_FILTERS = ['REDRIVEN', 'NOT_REDRIVEN'] as const;

/**
 * Lists the newest execution first.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
 */
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

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html */
export async function stopExecution(machines: StateMachines, parameters: Parameters): Promise<JsonObject> {
  const execution = requireExecution(machines, parameters);
  const error = parameters.text('error', { to: 256 });
  const cause = parameters.text('cause', { to: 32_768 });
  return { stopDate: seconds(await execution.abort({ error, cause })) };
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

/** The members of an event's details that `includeExecutionData: false` leaves out. */
const DATA: readonly string[] = [
  ...['input', 'inputDetails', 'output', 'outputDetails', 'parameters'],
  ...['assignedVariables', 'assignedVariablesDetails'],
];

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
export function getExecutionHistory(machines: StateMachines, parameters: Parameters): JsonObject {
  const { history } = requireExecution(machines, parameters);
  const withData = parameters.flag('includeExecutionData', true);
  const reverse = parameters.flag('reverseOrder', false);
  const events = reverse ? history.events.toReversed() : history.events;
  const { items, ...next } = page(events, parameters, { idOf: ({ id }) => String(id) });
  return { events: items.map((event) => describeEvent(event, withData)), ...next };
}

function describeEvent(
  { id, previousEventId, time, type, details }: HistoryEvent,
  withData: boolean,
): JsonObject {
  const kept =
    details && Object.fromEntries(entriesOf(details).filter(([name]) => withData || !DATA.includes(name)));
  return {
    timestamp: seconds(time),
    type,
    id,
    previousEventId,
    ...(kept && { [detailsMember(type)]: kept }),
  };
}

/** Such as `taskFailedEventDetails`. All states share the members of entering and of exiting. */
function detailsMember(type: HistoryEvent['type']): string {
  if (/State(Entered|Exited)$/.test(type)) {
    return type.endsWith('Entered') ? 'stateEnteredEventDetails' : 'stateExitedEventDetails';
  }
  return `${type[0].toLowerCase()}${type.slice(1)}EventDetails`;
}
