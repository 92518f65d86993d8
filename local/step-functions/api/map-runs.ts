/** The operations of Map Runs. Times are in seconds since 1970. */
import type { JsonObject } from '../../json';
import type { MapRunProgress } from '../distributed/map-run-progress';
import type { StateMachines } from '../state-machines';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html */
export function describeMapRun(machines: StateMachines, parameters: Parameters): JsonObject {
  const mapRun = parameters.mapRun(machines);
  const { limits, items, executions, redriveCount, redriveTime } = mapRun;
  const { executionArn, mapRunArn, startDate, stopDate } = summarize(mapRun);
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

export function listMapRuns(machines: StateMachines, parameters: Parameters): JsonObject {
  return { mapRuns: parameters.execution(machines).mapRuns.toReversed().map(summarize) };
}

function summarize({ arn, executionArn, startTime, stopTime }: MapRunProgress) {
  return {
    executionArn,
    mapRunArn: arn,
    stateMachineArn: arn.replace(':mapRun:', ':stateMachine:').replace(/:[^:]*$/, ''),
    startDate: startTime / 1000,
    stopDate: stopTime && stopTime / 1000,
  };
}
