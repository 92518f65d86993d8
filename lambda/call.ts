/** Answers one call of a slice function. A state machine sends an event. A caller without one sends a request. */
import { randomUUID } from 'node:crypto';
import type { DescribeAnswer, StepCall } from '../contract/direct-call';
import type { ExecutionOutput } from '../contract/execution';
import type { ColdAnswer, LoadAnswer, SliceAnswer, SliceEvent, WarmUpAnswer } from '../contract/slice-event';
import { runPack } from './batch/run-pack';
import {
  answerOfCall,
  asksForSignature,
  describeAnswer,
  eventOfCall,
  isDirectCall,
  isStepCall,
} from './direct-call';
import { sliceFailed } from './errors';
import { checkDeployment, checkEvent } from './request/event-check';
import type { SliceEnvironment } from './slice/environment';
import type { ResidentSlice, SliceForRun } from './slice/resident-slice';
import type { CountedObjects } from './store/object-store';
import { SafetensorsStore } from './store/safetensors-store';
import type { LoggedCall, Telemetry } from './telemetry/telemetry';
import type { Receiver } from './tensor-flow/results';
import { runSlice } from './tensor-flow/run-slice';
import { bodyOf, isOpenCall, isUrlCall, urlAnswer, type UrlAnswer } from './url-call';
import { handled, preloaded } from './user-handlers';
import { loadOnce, LONGEST_CALL_MS } from './whole-model';

/** The part of Lambda's context that the function uses. */
export interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId?: string;
  /** With the alias or the version that was called. */
  readonly invokedFunctionArn?: string;
}

export interface Call {
  readonly environment: SliceEnvironment;
  readonly resident: ResidentSlice;
  readonly counted: CountedObjects;
  readonly telemetry: Telemetry;
  readonly about: LoggedCall;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly context: CallContext | undefined;
}

type EventAnswer = SliceAnswer | WarmUpAnswer | ColdAnswer | LoadAnswer;

export type Answer = EventAnswer | ExecutionOutput | DescribeAnswer | UrlAnswer;

/** Between the steps of a call, requests and results stay in memory: the user's functions need not put larger ones into S3. */
const MAX_STEP_BYTES = 64 * 2 ** 20;

const LOAD_MESSAGES: Readonly<Record<LoadAnswer['loaded'], string>> = {
  now: 'whole model is loaded',
  before: 'whole model is loaded',
  elsewhere: 'another sandbox loads the whole model',
};

export async function answer(event: unknown, call: Call): Promise<Answer> {
  const { environment } = call;
  if (environment.takesCalls && isUrlCall(event)) {
    const sent = environment.handlers.preprocess ? event : bodyOf(event);
    return urlAnswer(await answerCaller(sent, call));
  }
  if (isDirectCall(event, environment, call.context?.invokedFunctionArn))
    return await answerCaller(event, call);
  if (isStepCall(event)) return await answerStep(event, call);
  checkEvent(event, environment);
  return await answerMachine(event as SliceEvent, call);
}

/** After a postprocess function of the user, the answer is any JSON. */
async function answerCaller(sent: unknown, call: Call): Promise<Answer> {
  const { environment, resident, telemetry, about, counted, context } = call;
  if (asksForSignature(sent)) {
    const described = describeAnswer(await resident.manifest(environment), environment);
    telemetry.note(about, 'function is described', { slice: environment.slice }, counted.take());
    return described;
  }
  const event = eventOfCall(environment, context?.awsRequestId ?? randomUUID());
  const load = (): SliceForRun => {
    const loading = resident.forRun(environment, event.run);
    loading.loaded.catch(() => undefined);
    loading.manifest.catch(() => undefined);
    return loading;
  };
  // The slice loads while the user's function prepares the request, unless that may refuse the caller, whom nobody has checked yet.
  const early = isOpenCall(sent) ? undefined : load();
  const { preprocess, postprocess } = environment.handlers;
  const handlerContext = contextOfSteps(context, MAX_STEP_BYTES);
  const request = preprocess ? await handled('preprocess', preprocess, sent, handlerContext) : sent;
  checkEvent(event, environment);
  const output = answerOfCall(event, await compute({ ...event, request }, early ?? load(), call, 'caller'));
  if (postprocess === undefined) return output;
  return (await handled('postprocess', postprocess, output, handlerContext)) as Answer;
}

/** That of the call, with an object that its steps share. @param maxBytes of a request between the steps */
function contextOfSteps(context: CallContext | undefined, maxBytes?: number): unknown {
  const own = { call: {}, ...(maxBytes !== undefined && { maxBytes }) };
  // What the prototype of Lambda's context has must stay.
  return Object.assign(Object.create(Object.getPrototypeOf(context ?? {}) as object), context, own);
}

async function answerStep(
  { deploymentDigest, step, event }: StepCall,
  { environment, context, telemetry, about, counted }: Call,
): Promise<Answer> {
  checkDeployment(deploymentDigest, environment);
  const handler = environment.handlers[step];
  if (handler === undefined) throw sliceFailed(`the function has no ${step}: deploy the stack again`);
  const handledEvent = (await handled(step, handler, event, contextOfSteps(context))) as Answer;
  telemetry.note(about, `${step} ran`, {}, counted.take());
  return handledEvent;
}

async function answerMachine(event: SliceEvent, call: Call): Promise<EventAnswer> {
  const { environment, resident, telemetry, about, counted, startedAt, context } = call;
  if (event.warmUp) {
    const [{ cold, loadMs }] = await Promise.all([
      resident.warm(environment, event.run),
      preloaded(environment.handlers),
    ]);
    const warmed = { slice: environment.slice, cold, loadMs };
    telemetry.note(about, 'slice is warm', warmed, counted.take());
    return warmed;
  }
  if (event.load) {
    const until = startedAt + (context?.getRemainingTimeInMillis() ?? LONGEST_CALL_MS);
    const times = { until, askedAt: event.askedAt ?? startedAt };
    const loaded = await loadOnce(resident, counted, environment, times);
    telemetry.note(about, LOAD_MESSAGES[loaded.loaded], { whole: true, ...loaded }, counted.take());
    return loaded;
  }
  if (event.ifWarm && !resident.isReady) {
    // The slices serve the run that asked.
    telemetry.note(about, 'whole model is cold', { whole: true }, counted.take());
    return { cold: true };
  }
  return await compute(event, resident.forRun(environment, event.run), call, 'state');
}

async function compute(
  event: SliceEvent,
  loading: SliceForRun,
  { environment, counted: objects, telemetry, about, startedAt, context }: Call,
  receiver: Receiver,
): Promise<SliceAnswer> {
  const { bucket, runsBucket, memoryBytes, loaderClaim } = environment;
  const stores = {
    callers: new SafetensorsStore(objects, bucket),
    memoryBytes,
    runs: new SafetensorsStore(objects, runsBucket, { writers: 'functions' }),
  };
  const running = { startedAt, isWhole: loaderClaim !== undefined };
  const remainingMs = () => context?.getRemainingTimeInMillis() ?? LONGEST_CALL_MS;
  const { pack } = event;
  const computed =
    pack === undefined
      ? await runSlice(event, loading, stores, { ...running, receiver })
      : await runPack({ ...event, pack }, loading, stores, { ...running, objects, remainingMs });
  const { timing, items } = computed;
  telemetry.call(about, { ...timing, ...(items !== undefined && { items }) }, objects.take());
  return computed;
}
