/** Calls Step Functions for a route, as the role of its integration. */
import type { JsonObject } from '../json';
import { roleSession, service } from '../iam/principals';
import { ApiError } from '../step-functions/api/api-error';
import { Parameters } from '../step-functions/api/parameters';
import { startExecution as start, startSyncExecution } from '../step-functions/api/start';
import { SYSTEM_CLOCK, within } from '../step-functions/clock';
import { GatewayError } from './gateway-error';
import type { GatewayOptions, Integration } from './http-api';
import { type MappedRequest, parameterValue } from './parameter-mapping';

/** API Gateway names its sessions so. */
const SESSION_NAME = 'BackplaneAssumeRoleSession';

/**
 * @param source API, stage, method and path of the route, as the condition key `aws:SourceArn` has them
 * @returns the answer of Step Functions
 * @throws ApiError of Step Functions; GatewayError when the role cannot be assumed or the time is over
 */
export async function startExecution(
  integration: Integration,
  request: MappedRequest,
  source: string,
  options: GatewayOptions,
): Promise<JsonObject> {
  const { action, stateMachineArn, timeoutMs } = integration;
  checkRole(integration, source, options);
  const parameters = new Parameters(
    JSON.stringify({
      stateMachineArn,
      ...Object.fromEntries(
        integration.parameters.map(([name, from]) => [name, parameterValue(from, request)]),
      ),
    }),
  );
  if (action === 'StartExecution') return start(options.machines, parameters);
  const answer = startSyncExecution(options.machines, parameters);
  // The execution goes on.
  return await within(SYSTEM_CLOCK, timeoutMs / 1000, options.signal, answer, () => new GatewayError(503));
}

function checkRole(
  { action, roleArn, stateMachineArn }: Integration,
  source: string,
  { authorizer, onNotice }: GatewayOptions,
): void {
  const { account, region } = authorizer;
  const untrusted = authorizer.hasPolicyOf(roleArn)
    ? authorizer.refusal(service('apigateway.amazonaws.com'), {
        action: 'sts:AssumeRole',
        resource: roleArn,
        context: {
          'aws:sourceaccount': account,
          'aws:sourcearn': `arn:aws:execute-api:${region}:${account}:${source}`,
        },
      })
    : undefined;
  if (untrusted !== undefined) {
    // The words are those of API Gateway's access log.
    onNotice(
      `API Gateway doesn't have permissions to assume the IAM role configured on the integration: ${untrusted}`,
    );
    throw new GatewayError(500);
  }
  const refusal = authorizer.refusal(roleSession(roleArn, SESSION_NAME), {
    action: `states:${action}`,
    resource: stateMachineArn,
  });
  if (refusal === undefined) return;
  onNotice(refusal);
  throw new ApiError('AccessDeniedException', refusal);
}
