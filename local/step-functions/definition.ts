/** A state machine's definition after validation: only what the interpreter runs can be expressed. */
import type { Query } from './query';

/** States that lead to each other: those of a machine, or of a branch. */
export interface StateGraph {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export interface Definition extends StateGraph {
  readonly timeoutSeconds: number | undefined;
}

export type State = TaskState | ParallelState | PassState | SucceedState | FailState;

interface Named {
  readonly name: string;
}

/** The state that follows, or none at the end. */
export interface Transition {
  readonly next: string | undefined;
}

/** What leaving a state makes: its output and new values of variables. */
export interface StateExit {
  /** Absent: the state's result, or what was caught. */
  readonly output: Query | undefined;
  readonly assign: readonly (readonly [string, Query])[];
}

/** What happens when a state fails. */
export interface ErrorHandling {
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Task';
  /** ARN of the Lambda function, perhaps qualified. */
  readonly functionName: string;
  readonly payload: Query;
  readonly timeoutSeconds: Query | undefined;
}

export interface ParallelState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Parallel';
  readonly branches: readonly StateGraph[];
  /** Absent: each branch gets the state's input. */
  readonly arguments: Query | undefined;
}

export interface PassState extends Named, Transition, StateExit {
  readonly type: 'Pass';
}

interface SucceedState extends Named {
  readonly type: 'Succeed';
  readonly output: Query | undefined;
}

interface FailState extends Named {
  readonly type: 'Fail';
  readonly error: Query | undefined;
  readonly cause: Query | undefined;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly jitterStrategy: 'FULL' | 'NONE';
}

export interface Catcher extends StateExit {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

/** All states, those of branches included. */
export function* allStates(graph: StateGraph): Generator<State> {
  for (const state of graph.states.values()) {
    yield state;
    if (state.type === 'Parallel') for (const branch of state.branches) yield* allStates(branch);
  }
}
