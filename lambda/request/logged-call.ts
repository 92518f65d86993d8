/** The fields that all lines of a call have, so that a search of the logs by any of them finds these lines. */
import type { LoggedCall } from '../telemetry/telemetry';
import { loggedFields } from './event-check';

/** Lambda sets it before each call: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const TRACE_VARIABLE = '_X_AMZN_TRACE_ID';

export function loggedCall(
  event: unknown,
  context: { readonly awsRequestId?: string } | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): LoggedCall {
  const { executionArn, run } = loggedFields(event);
  const requestId = context?.awsRequestId;
  const traceId = /(?:^|;)\s*Root=([0-9a-f-]{1,64})/.exec(variables[TRACE_VARIABLE] ?? '')?.[1];
  return {
    ...(executionArn !== undefined && { executionArn }),
    ...(run !== undefined && { run }),
    ...(requestId !== undefined && { requestId }),
    ...(traceId !== undefined && { traceId }),
  };
}
