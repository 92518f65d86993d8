/** What a run needs from outside. */
import type { Json, JsonObject } from '../json';
import type { Clock } from './clock';
import type { StateGraph } from './definition';
import type { MapRunProgress } from './distributed/map-run-progress';
import type { MapStorage } from './distributed/map-storage';
import type { ExecutionResult, TraceEvent } from './execution';
import type { History } from './history';

/** Calls a Lambda function; rejects with a `StateError` when it fails. */
export type InvokeTask = InvokeFunction<TaskResult>;

/** The header is that of X-Ray. */
type InvokeFunction<T> = (functionName: string, payload: Json, traceHeader?: string) => Promise<T>;

export interface TaskResult {
  readonly payload: Json;
  readonly executedVersion: string;
}

/** A `TraceEvent` without what all of them have. */
export type EventDetail<T = TraceEvent> = T extends TraceEvent
  ? Omit<T, 'time' | 'executionArn' | 'state'>
  : never;

export interface Environment {
  readonly invoke: InvokeTask;
  /** Queues an asynchronous call; rejects with a `StateError` when Lambda refuses to queue it. Nobody learns how the call ends. */
  readonly invokeLater: InvokeFunction<void>;
  readonly trace: (event: TraceEvent) => void;
  readonly clock: Clock;
  /** Uniform in [0, 1); for the jitter of retries. */
  readonly random: () => number;
  /** Ends all executions with its reason. */
  readonly signal: AbortSignal;
  /** Milliseconds before a state with an input of so many bytes is entered; `undefined` for no delay. */
  readonly transitionMs?: ((bytes: number) => number) | undefined;
  /** As `transitionMs`, of the Express children of distributed Maps. */
  readonly childTransitionMs?: ((bytes: number) => number) | undefined;
  /** For distributed Maps. */
  readonly storage?: MapStorage | undefined;
  /** Pauses before retries, as a share of what the definition says. */
  readonly retryPauses: number;
  /** Multiplies the timeouts of executions and tasks. */
  readonly timeouts: number;
}

export interface RunOptions {
  /** The context object without its `State`. */
  readonly context: JsonObject & {
    readonly Execution: JsonObject & { readonly Id: string; readonly Name: string };
    readonly StateMachine: JsonObject & { readonly Id: string };
  };
  readonly history: History;
  /** The Map Runs of the execution, to which a distributed Map adds its own. */
  readonly mapRuns: MapRunProgress[];
  readonly startChild: (child: ChildStart) => ChildExecution;
  readonly environment: Environment;
}

/** The Express execution of a distributed Map that is to start. */
export interface ChildStart {
  readonly label: string;
  readonly graph: StateGraph;
  readonly input: Json;
  /** Ends the child. */
  readonly signal: AbortSignal;
}

export interface ChildInit {
  readonly arn: string;
  readonly name: string;
  readonly inputText: string;
  readonly resource: { readonly arn: string };
}

export interface ChildExecution {
  readonly init: ChildInit;
  readonly startTime: number;
  /** Rejects with the signal's reason if that ends the child. */
  readonly result: Promise<ExecutionResult>;
}
