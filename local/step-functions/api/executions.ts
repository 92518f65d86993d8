/** The operations on state machines, executions and Map Runs, but for starts. Times are in seconds since 1970. */
import type { JsonObject } from '../../json';
import type { MapRunProgress } from '../distributed/map-run-progress';
import type { HistoryEvent } from '../history';
import type { MachineExecution } from '../machine-execution';
import type { StateMachine } from '../state-machine';
import { ApiError, typeNotSupported } from './api-error';
import type { Parameters } from './parameters';

/** Leaves out what the local cloud does not run: logging, tracing and encryption. */
export function describeStateMachine(parameters: Parameters): JsonObject {
  const machine = parameters.machine();
  const { definition, roleArn } = machine.resource;
  return { ...summarizeMachine(machine), status: 'ACTIVE', definition, roleArn };
}

export function listStateMachines({ machines }: Parameters): JsonObject {
  return { stateMachines: machines.all().map(summarizeMachine) };
}

function summarizeMachine({ resource: { arn, name, type }, creationTime }: StateMachine): JsonObject {
  return { stateMachineArn: arn, name, type, creationDate: creationTime / 1000 };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
export function describeExecution(parameters: Parameters): JsonObject {
  const execution = parameters.execution();
  const reason = execution.notRedrivable();
  return {
    ...summarize(execution),
    ...describeOutcome(execution),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    redriveStatusReason: reason,
  };
}

/** What ListExecutions returns of an execution. */
function summarize({ init, end, status, startTime, redriveCount, redriveTime }: MachineExecution) {
  return {
    executionArn: init.arn,
    stateMachineArn: init.resource.arn,
    name: init.name,
    status,
    startDate: startTime / 1000,
    stopDate: end && end.time / 1000,
    redriveCount,
    redriveDate: redriveTime === undefined ? undefined : redriveTime / 1000,
  };
}

/** Nothing but the input while the execution runs. A Standard execution that timed out has no error on AWS. */
export function describeOutcome({ init, end, status }: MachineExecution): JsonObject {
  const running = { status, input: init.inputText };
  if (end === undefined) return running;
  const ended = { ...running, stopDate: end.time / 1000 };
  if (end.status === 'SUCCEEDED') return { ...ended, output: JSON.stringify(end.output) };
  if (end.status === 'TIMED_OUT' && init.resource.type === 'STANDARD') return ended;
  return { ...ended, error: end.error, cause: end.cause };
}

/** Lists the newest execution first. */
export function listExecutions(parameters: Parameters): JsonObject {
  const { resource, executions } = parameters.machine();
  const status = parameters.text('statusFilter', 256);
  if (resource.type !== 'STANDARD') throw typeNotSupported();
  const listed = executions.filter((execution) => status === undefined || execution.status === status);
  return { executions: listed.toReversed().map(summarize) };
}

export async function stopExecution(parameters: Parameters): Promise<JsonObject> {
  const execution = parameters.execution();
  const error = parameters.text('error', 256);
  const cause = parameters.text('cause', 32_768);
  return { stopDate: (await execution.abort({ error, cause })) / 1000 };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html */
export function redriveExecution(parameters: Parameters): JsonObject {
  const execution = parameters.execution();
  const reason = execution.notRedrivable();
  if (reason !== undefined) throw new ApiError('ExecutionNotRedrivable', reason);
  return { redriveDate: execution.redrive() / 1000 };
}

export function getExecutionHistory(parameters: Parameters): JsonObject {
  const { history } = parameters.execution();
  const events = parameters.flag('reverseOrder') ? history.events.toReversed() : history.events;
  return { events: events.map(describeEvent) };
}

function describeEvent({ id, time, type, details }: HistoryEvent): JsonObject {
  const described = { timestamp: time / 1000, type, id };
  return details === undefined ? described : { ...described, [detailsMember(type)]: details };
}

/** Such as `taskFailedEventDetails`. All states share the members of entering and of exiting. */
function detailsMember(type: HistoryEvent['type']): string {
  if (/State(Entered|Exited)$/.test(type)) {
    return type.endsWith('Entered') ? 'stateEnteredEventDetails' : 'stateExitedEventDetails';
  }
  return `${type[0].toLowerCase()}${type.slice(1)}EventDetails`;
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html */
export function describeMapRun(parameters: Parameters): JsonObject {
  const mapRun = parameters.mapRun();
  const { limits, items, executions, redriveCount, redriveTime } = mapRun;
  const { executionArn, mapRunArn, startDate, stopDate } = summarizeMapRun(mapRun);
  return {
    mapRunArn,
    executionArn,
    status: mapRun.status,
    startDate,
    stopDate,
    maxConcurrency: limits.maxConcurrency,
    toleratedFailureCount: limits.toleratedFailureCount ?? 0,
    toleratedFailurePercentage: limits.toleratedFailurePercentage ?? 0,
    itemCounts: { ...items },
    executionCounts: { ...executions },
    redriveCount,
    redriveDate: redriveTime === undefined ? undefined : redriveTime / 1000,
  };
}

export function listMapRuns(parameters: Parameters): JsonObject {
  return { mapRuns: parameters.execution().mapRuns.toReversed().map(summarizeMapRun) };
}

function summarizeMapRun({ arn, executionArn, startTime, stopTime }: MapRunProgress) {
  return {
    executionArn,
    mapRunArn: arn,
    stateMachineArn: arn.replace(':mapRun:', ':stateMachine:').replace(/:[^:]*$/, ''),
    startDate: startTime / 1000,
    stopDate: stopTime && stopTime / 1000,
  };
}
