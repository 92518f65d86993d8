/** Runs state machines with functions in memory and a clock that does not wait. */
import type { Json, JsonObject } from '../../local/json';
import type { StateMachineType } from '../../local/cloudformation/resources';
import type { Clock } from '../../local/step-functions/clock';
import type { MapStorage } from '../../local/step-functions/distributed/map-storage';
import { StateError } from '../../local/step-functions/state-error';
import type { TraceEvent } from '../../local/step-functions/execution';
import type { MachineExecution } from '../../local/step-functions/machine-execution';
import { StateMachine } from '../../local/step-functions/state-machine';

export const START = Date.parse('2026-01-02T03:04:05.000Z');

/** The outcome of one attempt of a task: a response, an error to throw, or no response at all. */
type Attempt = { readonly answer: Json } | { readonly error: string; readonly cause?: string } | 'hang';

export const HANG = 'hang';

export interface MachineOptions {
  /** The attempts of all tasks, in order. Further attempts return their payload. */
  readonly attempts?: readonly Attempt[];
  readonly input?: Json;
  readonly type?: StateMachineType;
  readonly random?: () => number;
  readonly name?: string;
  readonly transitionMs?: (bytes: number) => number;
  readonly storage?: MapStorage;
  readonly timeouts?: number;
  /** What the attempts after `attempts` return. @default - their payload */
  readonly answer?: (payload: Json, clock: Clock) => Json | Promise<Json>;
  /** Hears of each time to which the clock jumps, in milliseconds. */
  readonly onJump?: (now: number) => void;
}

export function machine(definition: JsonObject, options: MachineOptions = {}) {
  const attempts = [...(options.attempts ?? [])];
  const recording = { trace: [] as string[], payloads: [] as Json[], later: [] as Json[] };
  const clock = virtualClock(options.onJump);
  const type = options.type ?? 'STANDARD';
  const arn = 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine';
  const resource = { logicalId: 'M', name: 'Machine', arn, type, roleArn: 'arn:role' };
  const stateMachine = new StateMachine(
    { ...resource, definition: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }) },
    {
      clock,
      random: options.random ?? (() => 0.5),
      transitionMs: options.transitionMs,
      storage: options.storage,
      timeouts: options.timeouts,
      trace: (event) => recording.trace.push(line(event)),
      invoke: async (_, payload) => {
        recording.payloads.push(payload);
        const attempt = attempts.shift() ?? { answer: (await options.answer?.(payload, clock)) ?? payload };
        if (attempt === HANG) return new Promise(() => undefined);
        if ('error' in attempt) throw new StateError(attempt.error, attempt.cause ?? 'why');
        return { payload: attempt.answer, executedVersion: '1' };
      },
      invokeLater: (_, payload) => {
        recording.later.push(payload);
        return Promise.resolve();
      },
    },
  );
  const start = (name?: string): MachineExecution =>
    stateMachine.start(options.input ?? {}, name === undefined ? {} : { name });
  return { stateMachine, start, clock, ...recording };
}

/** Runs an execution to its end. Returns its history and trace as text, and its duration on the virtual clock, in seconds. */
export async function run(definition: JsonObject, options: MachineOptions = {}) {
  const { start, clock, trace, payloads, later } = machine(definition, options);
  const execution = start(options.name);
  const result = await execution.result;
  const seconds = (clock.now() - START) / 1000;
  return { ...result, execution, events: eventsOf(execution), trace, payloads, later, seconds };
}

/** The history after ExecutionStarted, each event with its state. */
function eventsOf({ history }: MachineExecution): string {
  return history.events
    .slice(1)
    .map(({ type, details }) => (typeof details?.name === 'string' ? `${type} ${details.name}` : type))
    .join(', ');
}

/** A task that echoes its input. */
export function taskState(fields: JsonObject = {}): JsonObject {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'fn', Payload: '{% $states.input %}' },
    Output: '{% $states.result.Payload %}',
    ...endUnless(fields),
    ...fields,
  };
}

/** The definition of a machine with one task `A` that echoes its input. */
export function task(fields: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return graph('A', taskState(fields), more);
}

/** A machine with one Pass state `P` that returns this output. */
export function pass(Output: Json): JsonObject {
  return graph('P', { ...PASS, Output });
}

/** A machine or a branch that starts with a state of this name. */
export function graph(name: string, state: JsonObject = PASS, more: JsonObject = {}): JsonObject {
  return { StartAt: name, States: { [name]: state, ...more } };
}

export const PASS: JsonObject = { Type: 'Pass', End: true };

/** A machine with one Parallel state `P`. */
export function parallel(
  branches: readonly JsonObject[],
  fields: JsonObject = {},
  more: JsonObject = {},
): JsonObject {
  return graph('P', { Type: 'Parallel', Branches: branches, ...endUnless(fields), ...fields }, more);
}

/** A machine with one Map `M`, whose iterations run a task that echoes its input. */
export function map(
  fields: JsonObject = {},
  more: JsonObject = {},
  processor: JsonObject = task(),
): JsonObject {
  const ItemProcessor = { ProcessorConfig: { Mode: 'INLINE' }, ...processor };
  return graph('M', { Type: 'Map', ItemProcessor, ...endUnless(fields), ...fields }, more);
}

function endUnless({ Next }: JsonObject): JsonObject {
  return Next === undefined ? { End: true } : {};
}

function line(event: TraceEvent): string {
  const words = [event.state, event.type];
  if ('attempt' in event) words.push(String(event.attempt));
  if (event.type === 'TaskFailed') words.push(event.error);
  if (event.type === 'TaskRetried') words.push(`after ${event.delaySeconds}`);
  return words.join(' ');
}

/**
 * A clock that jumps to the end of the earliest sleep when nothing else is left to run. Apart from sleeps, the interpreter
 * only awaits promises that settle at once, so nothing else is left in the next `setImmediate` callback.
 */
function virtualClock(onJump?: MachineOptions['onJump']): Clock {
  let now = START;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  const jump = (): void => {
    const [earliest] = [...sleepers].sort((a, b) => a.until - b.until);
    if (sleepers.size === 0) return;
    sleepers.delete(earliest);
    now = earliest.until;
    onJump?.(now);
    earliest.wake();
    setImmediate(jump);
  };
  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((wake, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const sleeper = { until: now + milliseconds, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
        setImmediate(jump);
      }),
  };
}
