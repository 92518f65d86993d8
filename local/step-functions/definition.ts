/** A state machine's definition after validation. Its types express only what the interpreter supports. */
import type { Query } from './query';

/** The states of a machine or of a branch. */
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

/** The next state, or `undefined` at the end. */
export interface Transition {
  readonly next: string | undefined;
}

/** The output of a state and the variables that it assigns at its end. */
export interface StateExit {
  /** If absent, the output is the state's result, or the caught error. */
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
  /** ARN of the Lambda function, optionally with a version or an alias. */
  readonly functionName: string;
  readonly payload: Query;
  readonly timeoutSeconds: Query | undefined;
}

export interface ParallelState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Parallel';
  readonly branches: readonly StateGraph[];
  /** If absent, each branch gets the state's input. */
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

/** All states, including those of branches. */
export function* allStates(graph: StateGraph): Generator<State> {
  for (const state of graph.states.values()) {
    yield state;
    if (state.type === 'Parallel') for (const branch of state.branches) yield* allStates(branch);
  }
}
