/** Calls Step Functions for a route, as the role of its integration. */
import type { JsonObject } from '../json';
import { roleSession } from '../iam/principals';
import { ApiError } from '../step-functions/api/api-error';
import { Parameters } from '../step-functions/api/parameters';
import { startExecution as start, startSyncExecution } from '../step-functions/api/start';
import { SYSTEM_CLOCK, within } from '../step-functions/clock';
import { BODY, GatewayError, type GatewayOptions, type Integration } from './http-api';

/** API Gateway names its sessions so. */
const SESSION_NAME = 'BackplaneAssumeRoleSession';

/**
 * @param source API, stage, method and path of the route, as the condition key `aws:SourceArn` has them
 * @returns the answer of Step Functions
 * @throws ApiError of Step Functions; GatewayError when the role cannot be assumed or the time is over
 */
export async function startExecution(
  { action, roleArn, stateMachineArn, timeoutMs, parameters: mapped }: Integration,
  body: Buffer,
  source: string,
  { machines, authorizer, signal, onNotice }: GatewayOptions,
): Promise<JsonObject> {
  const sourceArn = `arn:aws:execute-api:${authorizer.region}:${authorizer.account}:${source}`;
  const untrusted = authorizer.assumptionRefusal(roleArn, ['apigateway.amazonaws.com'], sourceArn);
  if (untrusted !== undefined) {
    onNotice(`API Gateway may not assume the IAM role of the integration: ${untrusted}`);
    throw new GatewayError(500, 'Internal Server Error');
  }
  const session = roleSession(roleArn, SESSION_NAME);
  const refusal = authorizer.refusal(session, { action: `states:${action}`, resource: stateMachineArn });
  if (refusal !== undefined) {
    onNotice(refusal);
    throw new ApiError('AccessDeniedException', refusal);
  }
  // An empty body counts as none: that is believed, not documented.
  const text = body.length === 0 ? undefined : body.toString('utf8');
  const values = mapped.map(([name, value]) => [name, value === BODY ? text : value] as const);
  const request = JSON.stringify({ stateMachineArn, ...Object.fromEntries(values) });
  const parameters = new Parameters(machines, request);
  if (action === 'StartExecution') return start(parameters);
  const answer = startSyncExecution(parameters);
  const late = (): GatewayError => new GatewayError(503, 'Service Unavailable');
  // The execution goes on.
  return await within(SYSTEM_CLOCK, timeoutMs / 1000, signal, answer, late);
}
