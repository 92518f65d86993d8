/** Permissions that services use on behalf of a role: Step Functions to call functions, Lambda to write their logs. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type FunctionResource, splitFunctionArn } from '../cloudformation/resources';
import type { Authorizer } from '../iam/authorizer';
import { roleSession } from '../iam/principals';
import { StateError } from '../step-functions/state-error';

/**
 * The error name and the text are those of https://github.com/awslabs/aws-deployment-framework/issues/460.
 * @throws StateError if the state machine's role may not call the function
 */
export function checkInvoke(authorizer: Authorizer, roleArn: string | undefined, functionArn: string): void {
  if (roleArn === undefined) return;
  // The names of Step Functions' sessions are random.
  const session = roleSession(roleArn, randomBytes(16).toString('hex'));
  const refusal = authorizer.refusal(session, {
    action: 'lambda:InvokeFunction',
    resource: functionArn,
    policyOf: splitFunctionArn(functionArn).functionArn,
  });
  if (refusal === undefined) return;
  const service = `Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: ${randomUUID()}; Proxy: null`;
  throw new StateError('Lambda.AWSLambdaException', `${refusal} (${service})`);
}

/** Why a function's role may not write to its log group. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
export function logRefusal(
  authorizer: Authorizer,
  fn: FunctionResource,
  logStream: string,
): string | undefined {
  const { account, region } = authorizer;
  const session = roleSession(fn.roleArn, fn.name);
  const stream = `arn:aws:logs:${region}:${account}:log-group:${fn.logGroup}:log-stream:`;
  const needs = [
    ...(fn.createsLogGroup ? [{ action: 'logs:CreateLogGroup', resource: stream } as const] : []),
    { action: 'logs:CreateLogStream', resource: `${stream}${logStream}` } as const,
    { action: 'logs:PutLogEvents', resource: `${stream}${logStream}` } as const,
  ];
  for (const need of needs) {
    const refusal = authorizer.refusal(session, need);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
