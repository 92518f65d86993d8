/** Names executions after their inputs, so that the same command finds the one that it has started. */
import { createHash } from 'node:crypto';
import { explaining } from '../../client/aws/failures';
import type { StepFunctions } from '../../client/aws/step-functions';
import { isRunning } from '../../client/run/run-execution';

/** Begins the names of all executions of these inputs; a number follows. */
export function namesStart(arn: string, items = ''): string {
  return `batch-${createHash('sha256').update(`${arn}\0${items}`).digest('hex').slice(0, 12)}-`;
}

export type FoundExecution = NonNullable<Awaited<ReturnType<typeof latestExecution>>>;

/** The latest execution of these inputs, of those that Step Functions still knows. */
export async function latestExecution(stepFunctions: StepFunctions, arn: string, start: string) {
  let token: string | undefined;
  do {
    const { executions = [], nextToken } = await explaining(stepFunctions.listExecutions(arn, token));
    for (const { name = '', executionArn = '', status, startDate } of executions) {
      const number = Number(name.startsWith(start) ? name.slice(start.length) : NaN);
      if (Number.isSafeInteger(number))
        return { executionArn, number, isRunning: isRunning({ status }), startDate };
    }
    token = nextToken;
  } while (token !== undefined);
  return undefined;
}
