/** The slice function: checks the event, loads the slice once, reads tensors, runs the session, writes the outputs. */
import { randomUUID } from 'node:crypto';
import type { DescribeAnswer } from '../contract/direct-call';
import { ENV } from '../contract/environment';
import type { ExecutionOutput } from '../contract/execution';
import type { ColdAnswer, LoadAnswer, SliceAnswer, SliceEvent, WarmUpAnswer } from '../contract/slice-event';
import { runPack } from './batch/run-pack';
import { answerOfCall, asksForSignature, describeAnswer, eventOfCall, isDirectCall } from './direct-call';
import { failureOf, UNKNOWN_SLICE } from './errors';
import { checkEvent, isWarmUp, loggedCall } from './request/event-check';
import { readEnvironment, type SliceEnvironment, type Variables } from './slice/environment';
import { sessionModule } from './slice/load';
import { ResidentSlice, type SliceForRun } from './slice/resident-slice';
import { CallDeadline } from './store/limits';
import { CountedObjects, isUnavailable, type ObjectStore } from './store/object-store';
import { SafetensorsStore } from './store/safetensors-store';
import type * as s3 from './store/s3-client';
import { Telemetry, toStandardOutput, type WriteLine } from './telemetry/telemetry';
import { runSlice } from './tensor-flow/run-slice';
import { loadOnce, LONGEST_CALL_MS } from './whole-model';

interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId?: string;
}

const LOAD_MESSAGES: Readonly<Record<LoadAnswer['loaded'], string>> = {
  now: 'whole model is loaded',
  before: 'whole model is loaded',
  elsewhere: 'another sandbox loads the whole model',
};

type Answer = SliceAnswer | WarmUpAnswer | ColdAnswer | LoadAnswer | ExecutionOutput | DescribeAnswer;

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
  return async (sent, context) => {
    const startedAt = Date.now();
    // Of a direct call, it is made of the request.
    let event = sent;
    if (context) deadline?.start(context.getRemainingTimeInMillis());
    let slice = UNKNOWN_SLICE;
    let deploymentDigest = '';
    const about = loggedCall(sent, context, variables);
    try {
      const environment = readEnvironment(variables);
      ({ slice, deploymentDigest } = environment);
      const isDirect = isDirectCall(sent, environment);
      if (isDirect) {
        if (asksForSignature(sent)) {
          const answer = describeAnswer(await resident.manifest(environment), environment);
          telemetry.note(about, 'function is described', { slice }, counted.take());
          return answer;
        }
        event = eventOfCall(sent, environment, context?.awsRequestId ?? randomUUID());
      }
      checkEvent(event, environment);
      if (event.warmUp) {
        const { cold, loadMs } = await resident.warm(environment, event.run);
        const answer = { slice, cold, loadMs };
        telemetry.note(about, 'slice is warm', answer, counted.take());
        return answer;
      }
      if (event.load) {
        const until = startedAt + (context?.getRemainingTimeInMillis() ?? LONGEST_CALL_MS);
        const times = { until, askedAt: event.askedAt ?? startedAt };
        const answer = await loadOnce(resident, counted, environment, times);
        telemetry.note(about, LOAD_MESSAGES[answer.loaded], { whole: true, ...answer }, counted.take());
        return answer;
      }
      if (event.ifWarm && !resident.isReady) {
        // The slices serve the run that asked.
        telemetry.note(about, 'whole model is cold', { whole: true }, counted.take());
        return { cold: true };
      }
      const remainingMs = () => context?.getRemainingTimeInMillis() ?? LONGEST_CALL_MS;
      const loading = resident.forRun(environment, event.run);
      const call = { environment, counted, startedAt, remainingMs, isDirect };
      const answer = await runEvent(event, loading, call);
      const { timing, items } = answer;
      telemetry.call(about, { ...timing, ...(items !== undefined && { items }) }, counted.take());
      return isDirect ? answerOfCall(event, answer) : answer;
    } catch (error) {
      // Permissions change with the model, so a deployment during the run may be the reason.
      const failure = failureOf(error, slice, isUnavailable(error) ? { deploymentDigest } : {});
      const kind = { slice, warmUp: isWarmUp(event), isWhole: variables[ENV.loaderKey] !== undefined };
      telemetry.failure(about, { name: failure.name, message: failure.message, ...kind }, counted.take());
      // Lambda may freeze requests that are on their way. The next call asks again.
      counted.closeIdleConnections();
      throw failure;
    }
  };
}

interface RunningCall {
  readonly environment: SliceEnvironment;
  readonly counted: ObjectStore;
  readonly startedAt: number;
  readonly remainingMs: () => number;
  readonly isDirect: boolean;
}

function runEvent(
  event: SliceEvent,
  loading: SliceForRun,
  { environment, counted: objects, startedAt, remainingMs, isDirect }: RunningCall,
): Promise<SliceAnswer> {
  const { bucket, runsBucket, memoryBytes, loaderClaim } = environment;
  const stores = {
    callers: new SafetensorsStore(objects, bucket),
    memoryBytes,
    runs: new SafetensorsStore(objects, runsBucket, { writers: 'functions' }),
  };
  const call = { startedAt, isWhole: loaderClaim !== undefined };
  const { pack } = event;
  if (pack === undefined)
    return runSlice(event, loading, stores, { ...call, receiver: isDirect ? 'caller' : 'state' });
  return runPack({ ...event, pack }, loading, stores, { ...call, objects, remainingMs });
}
