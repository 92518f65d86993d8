/** DescribeExecution, and the parts of it that other operations return too. */
import type { JsonObject } from '../../json';
import type { MachineExecution } from '../machine-execution';
import type { StateMachines } from '../state-machines';
import { INCLUDED_DATA, requireExecution, seconds } from './operation';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
export function describeExecution(machines: StateMachines, parameters: Parameters): JsonObject {
  const execution = requireExecution(machines, parameters);
  const included = parameters.choice('includedData', INCLUDED_DATA) !== 'METADATA_ONLY';
  const reason = execution.notRedrivable();
  return {
    ...summarize(execution),
    ...describeInput(execution, included),
    ...describeOutcome(execution, included),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    ...(reason !== undefined && { redriveStatusReason: reason }),
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
    ...(end !== undefined && { stopDate: seconds(end.time) }),
    redriveCount,
    ...(redriveTime !== undefined && { redriveDate: seconds(redriveTime) }),
  };
}

/** @param included whether the caller wants the data itself */
export function describeInput({ init }: MachineExecution, included: boolean): JsonObject {
  const { inputText, traceHeader } = init;
  return {
    ...(included && { input: inputText }),
    inputDetails: { included },
    ...(traceHeader !== undefined && { traceHeader }),
  };
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
  const { error, cause } = end;
  return { status, stopDate, ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
}
