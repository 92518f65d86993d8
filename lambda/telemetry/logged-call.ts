/** The fields that all lines of a call have, so that a search of the logs by any of them finds these lines. */
import { loggedFields } from '../request/event-check';
import type { Variables } from '../slice/environment';

export interface LoggedCall {
  /** Of the execution that made the call. Absent if no state machine made it. */
  readonly executionArn?: string;
  readonly run?: string;
  /** The call's id in Lambda's own lines `START`, `END` and `REPORT`. */
  readonly requestId?: string;
  /** The id of the X-Ray trace. Lambda names it in every call, whether or not X-Ray keeps the trace. */
  readonly traceId?: string;
}

/** Lambda sets it before each call: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const TRACE_VARIABLE = '_X_AMZN_TRACE_ID';

export function loggedCall(
  event: unknown,
  context: { readonly awsRequestId?: string } | undefined,
  variables: Variables,
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
