/** One attempt of a Task: evaluates its arguments, calls the function and records what happens. */
import type { Json, JsonObject } from '../json';
import { within } from './clock';
import type { State, TaskState } from './definition';
import { ERROR, StateError } from './state-error';
import { MAX_WAIT_SECONDS } from './limits';
import type { EventDetail, RunOptions } from './run-options';
import type { Visit } from './visit';

/** The resource of all tasks, as events name it. */
const LAMBDA_INVOKE = { resourceType: 'lambda', resource: 'invoke' };

/** Returns the result of `arn:aws:states:::lambda:invoke`. @throws StateError when the attempt fails */
export async function attemptTask(
  state: TaskState,
  visit: Visit,
  { context, environment, history }: RunOptions,
  tracer: { trace(state: State, detail: EventDetail): void },
): Promise<Json> {
  const { clock, signal, timeouts } = environment;
  const attempt = visit.retryCount;
  const payload = visit.limited(await visit.evaluate(state.payload));
  const timeout =
    state.timeoutSeconds &&
    (await visit.integer(state.timeoutSeconds, 'TimeoutSeconds', { from: 1, to: MAX_WAIT_SECONDS }));
  // The execution may have ended while the arguments were evaluated. Then no function must run.
  signal.throwIfAborted();
  history.append('TaskScheduled', () => ({
    ...LAMBDA_INVOKE,
    // The ARN is `arn:partition:states:region:…`.
    region: context.Execution.Id.split(':')[3],
    parameters: JSON.stringify({
      FunctionName: state.functionName,
      ...(state.isAsynchronous && { InvocationType: 'Event' }),
      Payload: payload,
    }),
    timeoutInSeconds: timeout,
  }));
  history.append('TaskStarted', () => LAMBDA_INVOKE);
  tracer.trace(state, { type: 'TaskStarted', attempt });
  let result: Json;
  try {
    const call = callOf(state, payload, environment);
    const limit = timeout && timeout * timeouts;
    const answer = await within(clock, limit, signal, call, () => new StateError(ERROR.timeout, undefined));
    result = visit.limited(answer, 'lambda');
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { error: name, cause } = error;
    const type = name === ERROR.timeout ? 'TaskTimedOut' : 'TaskFailed';
    history.append(type, () => ({ ...LAMBDA_INVOKE, error: name, cause }));
    tracer.trace(state, { type: 'TaskFailed', attempt, error: name ?? '', cause: cause ?? '' });
    throw error;
  }
  history.append('TaskSucceeded', () => ({ ...LAMBDA_INVOKE, output: JSON.stringify(result) }));
  tracer.trace(state, { type: 'TaskSucceeded', attempt });
  return result;
}

/** That the result of an asynchronous call has an empty payload is believed; Lambda's own response has none. */
async function callOf(
  { functionName, isAsynchronous }: TaskState,
  payload: Json,
  { invoke, invokeLater }: RunOptions['environment'],
): Promise<JsonObject> {
  if (isAsynchronous) {
    await invokeLater(functionName, payload);
    return { Payload: '', StatusCode: 202 };
  }
  const { executedVersion: ExecutedVersion, payload: Payload } = await invoke(functionName, payload);
  return { ExecutedVersion, Payload, StatusCode: 200 };
}
