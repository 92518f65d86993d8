/** The slice function: loads its modules when they are first needed, and answers each call. */
import { ENV } from '../contract/environment';
import type { SliceEvent } from '../contract/slice-event';
import { answer, type Answer, type CallContext } from './call';
import { failureOf, UNKNOWN_SLICE } from './errors';
import { HandlerFailure } from './handler-failure';
import { isWarmUp, loggedCall } from './request/event-check';
import { readEnvironment, type Variables } from './slice/environment';
import { sessionModule } from './slice/load';
import { ResidentSlice } from './slice/resident-slice';
import { CallDeadline } from './store/limits';
import { CountedObjects, isUnavailable, type ObjectStore } from './store/object-store';
import type * as s3 from './store/s3-client';
import { isUrlCall, urlFailure } from './url-call';
import { Telemetry, toStandardOutput, type WriteLine } from './telemetry/telemetry';

export type SliceHandler = (event: SliceEvent, context?: CallContext) => Promise<Answer>;

// ONNX Runtime and the AWS SDK load in the init phase, which has a full processor at every memory size. The function of the whole
// model loads them later, because a new sandbox must answer that it is cold at once.
if (process.env[ENV.loaderKey] === undefined) {
  s3Module();
  sessionModule();
}

function s3Module(): typeof s3 {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` would end the init phase before the SDK is loaded
  return require('./store/s3-client') as typeof s3;
}

let deployed: SliceHandler | undefined;

export const handler: SliceHandler = (event, context) => {
  deployed ??= makeDeployed();
  return deployed(event, context);
};

function makeDeployed(): SliceHandler {
  const deadline = new CallDeadline();
  return makeHandler(process.env, () => s3Module().functionObjects({ deadline }), { deadline });
}

interface HandlerOptions {
  readonly root?: string;
  readonly write?: WriteLine;
  readonly deadline?: CallDeadline;
}

/**
 * Creates a handler that keeps its slice loaded between calls. Lambda sends one event at a time.
 * @param openObjects called once, when the first call needs the objects
 */
export function makeHandler(
  variables: Variables,
  openObjects: () => ObjectStore,
  { root, write = toStandardOutput, deadline }: HandlerOptions = {},
): SliceHandler {
  const counted = new CountedObjects(openObjects);
  const resident = new ResidentSlice(counted, root);
  const { AWS_LAMBDA_FUNCTION_NAME: functionName = '' } = variables;
  const telemetry = new Telemetry(write, functionName, variables[ENV.metricsNamespace]);
  return async (event, context) => {
    const startedAt = Date.now();
    if (context) deadline?.start(context.getRemainingTimeInMillis());
    let slice = UNKNOWN_SLICE;
    let deploymentDigest = '';
    const about = loggedCall(event, context, variables);
    try {
      const environment = readEnvironment(variables);
      ({ slice, deploymentDigest } = environment);
      return await answer(event, { environment, resident, counted, telemetry, about, startedAt, context });
    } catch (error) {
      // Permissions change with the model, so a deployment during the run may be the reason.
      const failure =
        error instanceof HandlerFailure
          ? error
          : failureOf(error, slice, isUnavailable(error) ? { deploymentDigest } : {});
      const kind = { slice, warmUp: isWarmUp(event), isWhole: variables[ENV.loaderKey] !== undefined };
      telemetry.failure(about, { name: failure.name, message: failure.message, ...kind }, counted.take());
      // Lambda may freeze requests that are on their way. The next call asks again.
      counted.closeIdleConnections();
      if (variables[ENV.directCalls] === 'on' && isUrlCall(event)) return urlFailure(failure, failure.cause);
      throw failure;
    }
  };
}
