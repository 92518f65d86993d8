/** Names executions after their inputs, so that the same command finds the one that it has started. */
import { createHash } from 'node:crypto';
import type { ExecutionListItem } from '@aws-sdk/client-sfn';
import type { SlicedInferenceClient } from '../../client';
import type { SlicedInferenceBatchRun } from '../../client/batch/batch';
import { explaining } from '../../client/aws/failures';
import type { StepFunctions } from '../../client/aws/step-functions';
import { isRunning } from '../../client/run/run-execution';

interface Inputs {
  readonly arn: string;
  readonly items: string | undefined;
  readonly name: string | undefined;
}

/** Begins the names of all executions of these inputs; a number follows. */
export function namesStart({ arn, items = '', name = '' }: Inputs): string {
  const digest = createHash('sha256').update([arn, items, name].join('\0')).digest('hex').slice(0, 12);
  return `${name || 'batch'}-${digest}-`;
}

export interface Latest {
  readonly executionArn: string;
  readonly number: number;
  readonly isRunning: boolean;
}

/** The latest execution of these inputs, of those that Step Functions still knows. */
export async function latestExecution(
  stepFunctions: StepFunctions,
  arn: string,
  start: string,
): Promise<Latest | undefined> {
  let nextToken: string | undefined;
  do {
    const page = await explaining(stepFunctions.listExecutions(arn, nextToken));
    for (const { name = '', executionArn = '', status } of page.executions ?? ([] as ExecutionListItem[])) {
      const number = Number(name.startsWith(start) ? name.slice(start.length) : NaN);
      if (Number.isSafeInteger(number)) return { executionArn, number, isRunning: isRunning({ status }) };
    }
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return undefined;
}

/** @param after number of the latest execution that is known; the list of executions may lack one that has just ended */
export async function startNext(
  client: SlicedInferenceClient,
  start: string,
  after: number,
  options: { readonly items?: string; readonly signal: AbortSignal },
): Promise<SlicedInferenceBatchRun> {
  for (let number = after + 1; ; number++) {
    try {
      return await client.batch({ ...options, name: `${start}${number}` });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ExecutionAlreadyExists') throw error;
    }
  }
}
