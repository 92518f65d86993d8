/** The function that runs one slice: check the plan, load once, read, check, run, write, answer. */
import { ENV } from '../contract/environment';
import { ERROR_NAMES } from '../contract/failures';
import type { SliceAnswer, SliceEvent, WarmUpAnswer } from '../contract/slice-event';
import { CONTRACT_VERSION } from '../contract/version';
import { failureOf, NamedFailure, sliceFailed, UNKNOWN_SLICE } from './errors';
import { readEnvironment, type SliceEnvironment, type Variables } from './slice/environment';
import { ResidentSlice, type SliceForRun } from './slice/resident-slice';
import type { ObjectStore } from './store/object-store';
import { S3ObjectStore } from './store/s3';
import { functionS3Client } from './store/s3-client';
import { SafetensorsStore } from './store/safetensors-store';
import { peakMemoryBytes } from './telemetry/peak-memory';
import { roundedTenth, Stopwatch } from './telemetry/stopwatch';
import { Telemetry, toStandardOutput, type WriteLine } from './telemetry/telemetry';
import { pick, readTensors, writeTensors, type Stores } from './tensor-flow/slice-tensors';
import { tensorBytes } from './tensors/tensor';

/** Answers with a `WarmUpAnswer` where the event asks for no more. */
export type SliceHandler = (event: SliceEvent) => Promise<SliceAnswer | WarmUpAnswer>;

let deployed: SliceHandler | undefined;

/** Entry point of the deployed function. */
export const handler: SliceHandler = (event) => {
  deployed ??= makeHandler(process.env, new S3ObjectStore(functionS3Client()));
  return deployed(event);
};

interface HandlerOptions {
  /**
   * Folder for the slice's files.
   * @default - the system's temporary one
   */
  readonly root?: string;
  /**
   * Takes the log's lines.
   * @default - standard output
   */
  readonly write?: WriteLine;
}

/** A handler that keeps its slice loaded. Lambda sends one event at a time. */
export function makeHandler(
  variables: Variables,
  objects: ObjectStore,
  { root, write = toStandardOutput }: HandlerOptions = {},
): SliceHandler {
  const resident = new ResidentSlice(objects, root);
  const telemetry = new Telemetry({
    write,
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME ?? '',
    namespace: variables[ENV.metricsNamespace],
  });
  return async (event) => {
    const startedAt = Date.now();
    let slice = UNKNOWN_SLICE;
    try {
      const environment = readEnvironment(variables);
      ({ slice } = environment);
      checkPlan(event, environment);
      if (event.warmUp) {
        const { cold, loadMs } = await resident.warm(environment, event.run);
        const answer = { slice, cold, loadMs };
        telemetry.warmUp(event.run, answer);
        return answer;
      }
      const stores = {
        callers: new SafetensorsStore(objects, environment.bucket),
        runs: new SafetensorsStore(objects, environment.runsBucket),
      };
      const answer = await runSlice(event, resident.forRun(environment, event.run), stores, {
        startedAt,
        sendsFloat16: environment.sendsFloat16,
      });
      telemetry.call(event.run, answer.timing);
      return answer;
    } catch (error) {
      const failure = failureOf(error, slice);
      telemetry.failure(event, slice, failure);
      throw failure;
    }
  };
}

function checkPlan(event: SliceEvent | undefined, { deploymentDigest }: SliceEnvironment): void {
  // The types promise what only our own state machine keeps: anyone may invoke the function.
  const { version, run, deploymentDigest: wanted }: Partial<Record<keyof SliceEvent, unknown>> = event ?? {};
  if (version !== CONTRACT_VERSION || typeof run !== 'string' || run === '') {
    throw sliceFailed(
      'the event is not one of this pipeline: start the state machine instead of the function',
    );
  }
  if (wanted === deploymentDigest) return;
  throw new NamedFailure(ERROR_NAMES.planChanged, {
    message: 'this function belongs to another plan than the run: start the execution again',
    expected: deploymentDigest,
    got: String(wanted),
  });
}

/** Reads while the slice is loaded: a request that does not fit is refused before the weights are there. */
async function runSlice(
  event: SliceEvent,
  { manifest: coming, loaded }: SliceForRun,
  stores: Stores,
  { startedAt, sendsFloat16 }: { readonly startedAt: number; readonly sendsFloat16: boolean },
): Promise<SliceAnswer> {
  const watch = new Stopwatch();
  // Who fails first is told of; what the other one then does is no news.
  loaded.catch(() => undefined);
  const manifest = await coming;
  const [{ slice: loadedSlice, timing: load }, { inline, tensors: read }] = await Promise.all([
    loaded,
    readTensors(event, manifest, stores),
  ]);
  const { session, weightBytes } = loadedSlice;
  const loadedHere = load.warmedUp ? 0 : load.loadMs;
  const readMs = Math.max(0, roundedTenth(watch.lap() - loadedHere));

  const wanted = manifest.outputs.map(({ name }) => name);
  const made = await session.run(pick(read, manifest.inputs), wanted);
  const runMs = watch.lap();

  const { bytesWritten, ...written } = await writeTensors(
    event.run,
    manifest,
    { read, made },
    { inline, sendsFloat16 },
    stores,
  );
  const writeMs = watch.lap();

  const { slice } = manifest;
  const bytesRead = [...read.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const sizes = { weightBytes, bytesRead, bytesWritten, peakMemoryBytes: peakMemoryBytes() };
  return {
    slice,
    ...written,
    timing: { slice, startedAt, ...load, readMs, runMs, writeMs, ...sizes },
  };
}
