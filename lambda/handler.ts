/** The slice function: checks the event, loads the slice once, reads tensors, runs the session, writes the outputs. */
import { ENV } from '../contract/environment';
import type { ColdAnswer, LoadAnswer, SliceAnswer, SliceEvent, WarmUpAnswer } from '../contract/slice-event';
import { failureOf, messageOf, sliceFailed, UNKNOWN_SLICE } from './errors';
import { checkEvent, isWarmUp } from './request/event-check';
import { readEnvironment, type Variables } from './slice/environment';
import { sessionModule } from './slice/late-session';
import { withoutValues } from './slice/run-failure';
import { ResidentSlice, type SliceForRun } from './slice/resident-slice';
import { CountedObjects } from './store/counted-objects';
import type { ObjectStore } from './store/object-store';
import { CallDeadline } from './store/retry';
import { functionObjects } from './store/s3-client';
import { SafetensorsStore } from './store/safetensors-store';
import { loggedCall } from './request/logged-call';
import { peakMemoryBytes } from './telemetry/peak-memory';
import { roundedTenth, Stopwatch } from './telemetry/stopwatch';
import { Telemetry, toStandardOutput, type WriteLine } from './telemetry/telemetry';
import { pick, readTensors, writeTensors, type Stores } from './tensor-flow/slice-tensors';
import { tensorBytes } from './tensors/tensor';
import { loadOnce } from './whole/load-once';

/** What the function uses of Lambda's context of a call. */
interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId?: string;
}

/** The answer to an event: a `WarmUpAnswer` to `warmUp`, a `LoadAnswer` to `load`, a `ColdAnswer` or a `SliceAnswer` to `ifWarm`. */
type Answer = SliceAnswer | WarmUpAnswer | ColdAnswer | LoadAnswer;

export type SliceHandler = (event: SliceEvent, context?: CallContext) => Promise<Answer>;

// ONNX Runtime loads in the init phase, which has a full processor at every memory size. The function of the whole model loads it
// later, because a new sandbox must answer that it is cold at once.
if (process.env[ENV.loaderKey] === undefined) sessionModule();

let deployed: SliceHandler | undefined;

/** Entry point of the deployed function. */
export const handler: SliceHandler = (event, context) => {
  deployed ??= makeDeployed();
  return deployed(event, context);
};

function makeDeployed(): SliceHandler {
  const deadline = new CallDeadline();
  return makeHandler(process.env, functionObjects({ deadline }), { deadline });
}

interface HandlerOptions {
  /**
   * Folder for the slice's files.
   * @default - the system's temporary folder
   */
  readonly root?: string;
  /**
   * Receives the lines of the log.
   * @default - standard output
   */
  readonly write?: WriteLine;
  /** Learns when each call must end. */
  readonly deadline?: CallDeadline;
}

/** Creates a handler that keeps its slice loaded between calls. Lambda sends one event at a time. */
export function makeHandler(
  variables: Variables,
  objects: ObjectStore,
  { root, write = toStandardOutput, deadline }: HandlerOptions = {},
): SliceHandler {
  const counted = new CountedObjects(objects);
  const resident = new ResidentSlice(counted, root);
  const telemetry = new Telemetry({
    write,
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME ?? '',
    namespace: variables[ENV.metricsNamespace],
  });
  return async (event, context) => {
    const startedAt = Date.now();
    if (context) deadline?.start(context.getRemainingTimeInMillis());
    let slice = UNKNOWN_SLICE;
    const about = loggedCall(event, context, variables);
    try {
      const environment = readEnvironment(variables);
      ({ slice } = environment);
      checkEvent(event, environment);
      if (event.warmUp) {
        const { cold, loadMs } = await resident.warm(environment, event.run);
        const answer = { slice, cold, loadMs };
        telemetry.warmUp(about, answer, counted.take());
        return answer;
      }
      if (event.load) {
        const remainingMs = context?.getRemainingTimeInMillis() ?? LONGEST_CALL_MS;
        const times = { until: startedAt + remainingMs, askedAt: event.askedAt ?? startedAt };
        const answer = await loadOnce(resident, counted, environment, times);
        telemetry.wholeLoad(about, answer, counted.take());
        return answer;
      }
      if (event.ifWarm && !resident.isReady) {
        telemetry.wholeIsCold(about, counted.take());
        return { cold: true };
      }
      const stores = {
        callers: new SafetensorsStore(counted, environment.bucket),
        memoryBytes: environment.memoryBytes,
        runs: new SafetensorsStore(counted, environment.runsBucket, { writers: 'functions' }),
      };
      const answer = await runSlice(event, resident.forRun(environment, event.run), stores, {
        startedAt,
        sendsFloat16: environment.sendsFloat16,
        isWhole: environment.loaderClaim !== undefined,
      });
      telemetry.call(about, answer.timing, counted.take());
      return answer;
    } catch (error) {
      const failure = failureOf(error, slice);
      const { name, message } = failure;
      const isWhole = variables[ENV.loaderKey] !== undefined;
      telemetry.failure(about, { name, message, slice, warmUp: isWarmUp(event), isWhole }, counted.take());
      throw failure;
    }
  };
}

/** Of a call whose context says no time. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LONGEST_CALL_MS = 900_000;

/** Lambda's MB. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEGABYTE = 2 ** 20;

interface RunOptions {
  readonly startedAt: number;
  readonly sendsFloat16: boolean;
  /** Whether the slice is the whole model of a pipeline with consolidation. */
  readonly isWhole: boolean;
}

/** Reads the tensors while the slice loads, so a bad request fails without waiting for the weights. */
async function runSlice(
  event: SliceEvent,
  { manifest: manifestPromise, loaded }: SliceForRun,
  stores: Stores,
  { startedAt, sendsFloat16, isWhole }: RunOptions,
): Promise<SliceAnswer> {
  const watch = new Stopwatch();
  // If reading fails first, nothing awaits the load any more: mark its rejection as handled.
  loaded.catch(() => undefined);
  const manifest = await manifestPromise;
  const [{ slice: loadedSlice, timing: load }, { inline, tensors: read, ...request }] = await Promise.all([
    loaded,
    readTensors(event, manifest, stores),
  ]);
  const { session, weightBytes } = loadedSlice;
  const loadMsOfCall = load.warmedUp ? 0 : load.loadMs;
  const readMs = Math.max(0, roundedTenth(watch.lap() - loadMsOfCall));

  const wanted = manifest.outputs.map(({ name }) => name);
  const computed = await session.run(pick(read, manifest.inputs), wanted).catch((error: unknown) => {
    throw sliceFailed(withoutValues(messageOf(error)));
  });
  const runMs = watch.lap();

  const { bytesWritten, ...written } = await writeTensors(
    event.run,
    manifest,
    { read, computed },
    { inline, sendsFloat16, ...request },
    stores,
  );
  const writeMs = watch.lap();

  const { slice } = manifest;
  const bytesRead = [...read.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const memory = { peakMemoryBytes: peakMemoryBytes(), memoryMb: stores.memoryBytes / MEGABYTE };
  const sizes = { weightBytes, bytesRead, bytesWritten, ...memory };
  return {
    slice,
    ...written,
    timing: {
      ...(isWhole ? { whole: true } : { slice }),
      startedAt,
      ...load,
      readMs,
      runMs,
      writeMs,
      ...sizes,
    },
  };
}
